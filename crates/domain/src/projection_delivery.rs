//! The rows of deliveries.

use crate::event::{DeliveryQueued, Envelope, Event};
use crate::id::DeliveryId;
use crate::row::{DeliveryRow, DeliveryState};
use crate::state::State;

/// The row that an event of a delivery leads to, given the state before it.
pub(crate) fn delivery_row(state: &State, envelope: &Envelope) -> Option<DeliveryRow> {
    let (seq, now) = (envelope.seq, envelope.time);
    let fresh = |queued: &DeliveryQueued| DeliveryRow {
        queued: queued.clone(),
        state: DeliveryState::Queued,
        attempts: 0,
        since: now,
        retry_at: None,
        status: None,
        reason: None,
        repeated: false,
        seq,
    };
    let open = |id: DeliveryId, stands: DeliveryState, attempts: u32| {
        let open = state.deliveries.get(&id)?;
        Some(DeliveryRow {
            state: stands,
            attempts,
            since: open.since,
            repeated: open.repeated,
            ..fresh(&open.queued)
        })
    };
    Some(match &envelope.event {
        Event::DeliveryQueued(e) => fresh(e),
        Event::DeliveryReplayed(e) => DeliveryRow {
            attempts: e.attempts,
            since: e.since,
            repeated: e.repeated,
            ..fresh(&e.queued)
        },
        Event::DeliveryAttempted(e) => open(e.delivery, DeliveryState::Attempting, e.attempt)?,
        Event::DeliveryDelivered(e) => DeliveryRow {
            status: e.status,
            ..open(e.delivery, DeliveryState::Delivered, e.attempt)?
        },
        Event::DeliveryFailed(e) => {
            let row = open(e.delivery, DeliveryState::Failed, e.attempt)?;
            DeliveryRow {
                retry_at: Some(e.retry_at),
                status: e.status,
                reason: Some(e.reason.clone()),
                repeated: row.repeated || e.lost,
                ..row
            }
        }
        Event::DeliveryUnknown(e) => DeliveryRow {
            reason: Some(e.reason.clone()),
            repeated: true,
            ..open(e.delivery, DeliveryState::Unknown, e.attempt)?
        },
        Event::DeliveryDead(e) => {
            let row = open(e.delivery, DeliveryState::Dead, e.attempt)?;
            DeliveryRow {
                status: e.status,
                reason: Some(e.reason.clone()),
                repeated: row.repeated || e.lost,
                ..row
            }
        }
        _ => return None,
    })
}
