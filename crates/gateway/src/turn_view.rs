//! A turn as clients see it.

use crate::context::store_refusal;
use crate::text::fetched;
use crate::waiting::{WaitingOn, waiting_on};
use mobkit_domain::event::{Envelope, Event, EventFilter, TurnFailure};
use mobkit_domain::id::{MemberId, MessageId, ModelId, ProfileId, Seq, TurnId};
use mobkit_domain::model::{Cost, Finish, Usage};
use mobkit_domain::projection::turn_row;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::row::{Row, Table, TurnRow, TurnStatus};
use mobkit_domain::text::Text;
use mobkit_domain::time::Time;
use mobkit_engine::Engine;
use mobkit_store::EventQuery;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// A turn, with its figures of now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TurnView {
    /// The turn.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// The role in which the member works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileId>,
    /// The model that it used last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelId>,
    /// Where it stands.
    pub status: TurnStatus,
    /// Whom it waits for, where it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_on: Option<WaitingOn>,
    /// The messages that it answers.
    pub messages: Vec<MessageId>,
    /// Model calls that were answered.
    pub steps: u32,
    /// The answer; a reference where it is longer than 1 MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
    /// The answer as data, where the profile asks for a schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// Why the model stopped, where the answer may not be whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish: Option<Finish>,
    /// Why it gave no answer, for a program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<TurnFailure>,
    /// Why it gave no answer, for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Input and output tokens.
    pub tokens: u64,
    /// Tokens by sort.
    pub usage: Usage,
    /// What it cost; null where a call has no price.
    pub cost_usd: Option<Cost>,
    /// When it began.
    pub started: Time,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
    /// Whether a script answered instead of a model.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rehearsal: bool,
    /// Position of the event that last changed its status.
    #[serde(skip)]
    pub seq: Seq,
}

impl TurnView {
    /// The turn of a row, with its figures of now if it is open. Texts stay where they are.
    pub fn of_row(engine: &Engine, row: TurnRow) -> Self {
        let (row, waiting_on) = live(engine, row);
        Self {
            turn: row.turn,
            member: row.member,
            profile: row.profile,
            model: row.model,
            status: row.status,
            waiting_on,
            messages: row.messages,
            steps: row.steps,
            text: row.text,
            data: None,
            finish: row.finish,
            class: row.class,
            reason: row.reason,
            tokens: row.tokens,
            usage: row.usage,
            cost_usd: row.cost_usd,
            started: row.started,
            ended: row.ended,
            rehearsal: engine.is_rehearsal(),
            seq: row.seq,
        }
    }
}

/// The row with the figures of now, if the turn is open, and whom it waits for.
fn live(engine: &Engine, row: TurnRow) -> (TurnRow, Option<WaitingOn>) {
    if row.status.is_ended() {
        return (row, None);
    }
    let open = engine.view(|world| {
        let turn = world.state.turns.get(&row.turn)?;
        Some((turn_row(row.turn, turn), waiting_on(turn)))
    });
    match open {
        Some((open, waiting_on)) => {
            let row = TurnRow {
                seq: row.seq,
                ..open
            };
            (row, waiting_on)
        }
        None => (row, None),
    }
}

async fn row_of(engine: &Engine, turn: TurnId) -> Result<TurnRow, Refusal> {
    let row = engine.store().row(engine.mob(), Table::Turn, turn.0).await;
    if let Some(Row::Turn(row)) = row.map_err(|error| store_refusal(&error))? {
        return Ok(row);
    }
    let message = format!("there is no turn {turn}");
    Err(
        Refusal::new(RefusalKind::Missing, "turn.not_found", message)
            .hint("`turn/list` shows the turns"),
    )
}

/// The turn of this id, its answer fetched.
pub(crate) async fn turn_view(engine: &Engine, turn: TurnId) -> Result<TurnView, Refusal> {
    // Looked up first: a turn that is not open has its last row already.
    let open = engine.view(|world| {
        world
            .state
            .turns
            .get(&turn)
            .map(|open| turn_row(turn, open))
    });
    let row = row_of(engine, turn).await?;
    let row = match open {
        Some(open) if !row.status.is_ended() => TurnRow {
            seq: row.seq,
            ..open
        },
        _ => row,
    };
    let mut view = TurnView::of_row(engine, row);
    if let Some(text) = view.text.take() {
        view.text = Some(fetched(engine, text).await?);
    }
    if view.status == TurnStatus::Completed
        && let Some(Envelope {
            event: Event::TurnCompleted(event),
            ..
        }) = event_at(engine, view.seq).await?
    {
        view.data = event.data;
    }
    Ok(view)
}

/// The event at a position, if the journal still has it.
pub(crate) async fn event_at(engine: &Engine, seq: Seq) -> Result<Option<Envelope>, Refusal> {
    let Some(after) = seq.checked_sub(1) else {
        return Ok(None);
    };
    let query = EventQuery {
        after,
        until: seq,
        filter: EventFilter::default(),
        limit: 1,
        kept: true,
    };
    let page = engine.store().events(engine.mob(), query).await;
    let page = page.map_err(|error| store_refusal(&error))?;
    Ok(page.events.into_iter().find(|event| event.seq == seq))
}
