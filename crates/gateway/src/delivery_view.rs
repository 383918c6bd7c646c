//! A delivery as clients see it, with its attempts as the journal has them.

use crate::context::store_refusal;
use mobkit_domain::event::{Envelope, Event, EventFilter};
use mobkit_domain::id::{DeliveryId, TurnId};
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::row::{DeliveryRow, DeliveryState, Row, Table};
use mobkit_domain::state::Route;
use mobkit_domain::time::Time;
use mobkit_engine::Engine;
use schemars::JsonSchema;
use serde::Serialize;

/// A delivery, without what it says.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DeliveryView {
    /// The delivery.
    id: DeliveryId,
    /// The route that takes it; `member:<id>` for the one that every member has.
    route: String,
    /// For whom.
    recipient: String,
    /// On which channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    /// Where it stands.
    state: DeliveryState,
    /// Its attempts, oldest first; without those that retention has taken.
    attempts: Vec<AttemptView>,
    /// When it was queued.
    queued: Time,
    /// When the next attempt is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_at: Option<Time>,
    /// Why it stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Who sent it.
    from: Principal,
    /// The turn in which it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<TurnId>,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// It is in flight.
    Attempting,
    /// The receiver has it.
    Delivered,
    /// The receiver does not have it.
    Failed,
    /// Nobody can say.
    Unknown,
}

/// One attempt.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct AttemptView {
    /// Which one, from 1.
    attempt: u32,
    /// When its intent was recorded, before the request.
    at: Time,
    /// What came of it.
    outcome: Outcome,
    /// What the receiver answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The beginning of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    excerpt: Option<String>,
    /// From the intent to the outcome, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    took_ms: Option<u64>,
}

/// The row with its attempts.
pub(crate) async fn delivery_view(
    engine: &Engine,
    row: DeliveryRow,
) -> Result<DeliveryView, Refusal> {
    let id = row.queued.delivery;
    let filter = EventFilter {
        kinds: vec!["delivery.*".to_owned()],
        subject: Some(format!("delivery/{id}")),
        source: None,
    };
    let events = engine.events_between(id.0, row.seq, &filter).await;
    let events = events.map_err(|error| store_refusal(&error))?;
    let waits = matches!(row.state, DeliveryState::Queued | DeliveryState::Failed);
    let opens = engine.view(|world| world.state.route(&row.queued.route).and_then(Route::opens));
    Ok(DeliveryView {
        id,
        route: row.queued.route,
        recipient: row.queued.recipient,
        channel: row.queued.channel,
        state: row.state,
        attempts: attempts(events.iter().map(|event| &event.envelope)),
        queued: row.since,
        // A route that is full by its rate lets nothing through before it has room.
        retry_at: row
            .retry_at
            .max(opens.filter(|opens| waits && *opens > row.since)),
        reason: row.reason,
        from: row.queued.from,
        turn: row.queued.turn,
    })
}

/// The attempts that the events of a delivery tell of.
fn attempts<'e>(events: impl Iterator<Item = &'e Envelope>) -> Vec<AttemptView> {
    let mut attempts: Vec<AttemptView> = Vec::new();
    for Envelope { time, event, .. } in events {
        if let Event::DeliveryAttempted(e) = event {
            // Whoever begins the next one does not know what came of the one before.
            if let Some(lost) = in_flight(&mut attempts) {
                lost.outcome = Outcome::Unknown;
            }
            attempts.push(AttemptView {
                attempt: e.attempt,
                at: *time,
                outcome: Outcome::Attempting,
                status: None,
                reason: None,
                excerpt: None,
                took_ms: None,
            });
        } else if let Some(attempt) = in_flight(&mut attempts) {
            end(attempt, *time, event);
        }
    }
    attempts
}

fn in_flight(attempts: &mut [AttemptView]) -> Option<&mut AttemptView> {
    let last = attempts.last_mut();
    last.filter(|last| last.outcome == Outcome::Attempting)
}

fn end(attempt: &mut AttemptView, time: Time, event: &Event) {
    let took_ms = time.since_ms(attempt.at);
    match event {
        Event::DeliveryDelivered(e) => {
            attempt.outcome = Outcome::Delivered;
            (attempt.status, attempt.excerpt) = (e.status, e.excerpt.clone());
            attempt.took_ms = Some(e.took_ms);
        }
        Event::DeliveryFailed(e) => {
            attempt.outcome = Outcome::Failed;
            (attempt.status, attempt.excerpt) = (e.status, e.excerpt.clone());
            attempt.reason = Some(e.reason.clone());
            attempt.took_ms = Some(e.took_ms);
        }
        Event::DeliveryUnknown(e) => {
            attempt.outcome = Outcome::Unknown;
            attempt.reason = Some(e.reason.clone());
            attempt.took_ms = Some(took_ms);
        }
        Event::DeliveryDead(e) => {
            attempt.outcome = Outcome::Failed;
            (attempt.status, attempt.excerpt) = (e.status, e.excerpt.clone());
            attempt.reason = Some(e.reason.clone());
            attempt.took_ms = Some(took_ms);
        }
        _ => {}
    }
}

/// What is kept of a delivery.
pub(crate) async fn delivery_row(
    engine: &Engine,
    delivery: DeliveryId,
) -> Result<DeliveryRow, Refusal> {
    let store = engine.store();
    let row = store.row(engine.mob(), Table::Delivery, delivery.0).await;
    match row.map_err(|error| store_refusal(&error))? {
        Some(Row::Delivery(row)) => Ok(*row),
        Some(
            Row::Message(_) | Row::Turn(_) | Row::Approval(_) | Row::Occurrence(_) | Row::Cost(_),
        )
        | None => {
            let message = format!("there is no delivery {delivery}");
            Err(
                Refusal::new(RefusalKind::Missing, "delivery.not_found", message)
                    .hint("`delivery/list` shows the deliveries"),
            )
        }
    }
}
