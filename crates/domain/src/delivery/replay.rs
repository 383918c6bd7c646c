//! Somebody sends a delivery again that is not tried again by itself.

use super::queue::check_room;
use super::resolve::taker;
use crate::draft::Draft;
use crate::event::{DeliveryQueued, DeliveryReplayed};
use crate::principal::Principal;
use crate::refusal::{Refusal, RefusalKind};
use crate::row::{DeliveryRow, DeliveryState};

/// Sends it under the same id, over the route that takes it now, with fresh retries.
pub(super) fn replay(draft: &mut Draft<'_>, row: &DeliveryRow) -> Result<(), Refusal> {
    let id = row.queued.delivery;
    if let Principal::Agent(member) = &draft.actor {
        let message = format!("{member} is an agent; people and programs send {id} again");
        let code = "delivery.not_yours";
        return Err(Refusal::new(RefusalKind::Denied, code, message));
    }
    let is_over = match row.state {
        DeliveryState::Dead | DeliveryState::Unknown => true,
        DeliveryState::Queued
        | DeliveryState::Attempting
        | DeliveryState::Delivered
        | DeliveryState::Failed => false,
    };
    let state = draft.state();
    let resent = state.deliveries_resent.get(&id);
    let is_seen = resent.is_none_or(|resent| *resent <= row.seq);
    if !is_over || !is_seen || state.deliveries.contains_key(&id) {
        let message = if is_over {
            format!("{id} was sent again already")
        } else {
            format!("{id} is {}", row.state.as_str())
        };
        return Err(
            Refusal::new(RefusalKind::Conflict, "delivery.not_over", message)
                .hint("only dead and unknown deliveries are sent again"),
        );
    }
    check_room(draft)?;
    let channel = row.queued.channel.as_deref();
    let route = taker(state, &row.queued.recipient, channel)?.name();
    let repeated = row.repeated || row.state == DeliveryState::Unknown;
    draft.order(DeliveryReplayed {
        queued: DeliveryQueued {
            route,
            ..row.queued.clone()
        },
        attempts: row.attempts,
        since: row.since,
        repeated,
    });
    Ok(())
}
