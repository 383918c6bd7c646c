//! Deliveries that are not tried again by themselves.

use crate::draft::Draft;
use crate::event::{DeliveryDead, ErrorEvent, ErrorRaised};
use crate::id::{DeliveryId, Seq};
use crate::state::Delivery;

/// Records that a delivery is dead, and tells whoever waits for its end.
pub(super) fn dead(draft: &mut Draft<'_>, cause: Seq, dead: DeliveryDead) -> Seq {
    let (id, reason) = (dead.delivery, dead.reason.clone());
    let seq = draft.emit_from(cause, dead);
    crate::schedule::delivery_ended(draft, seq, id, false, &reason);
    seq
}

/// Tells the host that a delivery is dead.
pub(super) fn raise(draft: &mut Draft<'_>, cause: Seq, id: DeliveryId, error: String) {
    let delivery = id.to_string();
    let error = ErrorEvent::DeliveryDead { delivery, error };
    draft.emit_from(cause, ErrorRaised { error });
}

/// Ends everything that waits on a route, apart from one that has its end already. The host is told
/// once, however many there are.
pub(super) fn all_waiting(
    draft: &mut Draft<'_>,
    cause: Seq,
    route: &str,
    reason: &str,
    but: Option<DeliveryId>,
) {
    let state = draft.state();
    let waiting = state.delivery_waiting.get(route);
    let waiting = waiting.into_iter().flat_map(|waiting| &waiting.deliveries);
    let ids: Vec<DeliveryId> = waiting
        .map(|(_, id)| *id)
        .filter(|id| but != Some(*id))
        .collect();
    let mut last = cause;
    for id in &ids {
        if let Some(open) = state.deliveries.get(id) {
            last = dead(draft, cause, unsent(*id, open, reason));
        }
    }
    if let Some(first) = ids.first() {
        let error = match ids.len() - 1 {
            0 => reason.to_owned(),
            more => format!("{reason}; {more} more waited on it"),
        };
        raise(draft, last, *first, error);
    }
}

/// The end of a delivery of which no attempt is in flight.
pub(super) fn unsent(id: DeliveryId, open: &Delivery, reason: &str) -> DeliveryDead {
    DeliveryDead {
        delivery: id,
        route: open.queued.route.clone(),
        attempt: open.attempts,
        status: None,
        excerpt: None,
        reason: reason.to_owned(),
        lost: false,
    }
}
