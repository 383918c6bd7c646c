//! What a start does about attempts that were in flight.

use super::ended::{Attempt, lost};
use crate::draft::Draft;
use crate::state::DeliveryStatus;

/// Ends the attempts that the process before this one left open: they are made again where the
/// receiver knows repetitions, and are unknown elsewhere. Calls of modules have been ended with the
/// modules, and their deliveries with them.
pub(crate) fn recover(draft: &mut Draft<'_>) {
    for (id, open) in &draft.state().deliveries {
        let DeliveryStatus::Attempting {
            since,
            call,
            repeatable,
        } = open.status
        else {
            continue;
        };
        if call.is_some_and(|call| draft.state().direct_calls.contains_key(&call)) {
            continue;
        }
        let attempt = Attempt {
            id: *id,
            open,
            nth: open.attempts,
            cause: open.seq,
            took_ms: draft.now.since_ms(since),
        };
        let reason = "mobkit ended in the middle of the attempt";
        lost(draft, &attempt, reason, repeatable);
    }
}
