//! The rules that a batch obeys in every backend.

use crate::store::{Batch, StoreError};
use mobkit_domain::id::{MobId, Seq};

/// Who appends to a journal, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    /// The epoch in force; 0 where nobody ever opened the mob.
    pub epoch: u64,
    /// The last position.
    pub head: Seq,
}

/// Refuses a writer of an earlier epoch, and a batch that does not follow the last event.
pub(crate) fn check_order(now: Standing, epoch: u64, expected: Seq) -> Result<(), StoreError> {
    if epoch != now.epoch {
        return Err(StoreError::EpochStale {
            held: epoch,
            current: now.epoch,
        });
    }
    if expected != now.head + 1 {
        return Err(StoreError::SeqMismatch {
            given: expected,
            expected: now.head + 1,
        });
    }
    Ok(())
}

/// Refuses a batch with a gap in it, or with events of another mob.
pub(crate) fn check_batch(mob: &MobId, expected: Seq, batch: &Batch) -> Result<(), StoreError> {
    for (event, expected) in batch.events.iter().zip(expected..) {
        if event.seq != expected {
            return Err(StoreError::SeqMismatch {
                given: event.seq,
                expected,
            });
        }
        if event.mob != *mob {
            let detail = format!("event {} belongs to {}, not to {mob}", event.seq, event.mob);
            return Err(StoreError::Backend {
                action: "appending",
                detail,
            });
        }
    }
    Ok(())
}

/// The error for a mob that nobody ever opened.
pub(crate) fn unknown_mob(action: &'static str, mob: &MobId) -> StoreError {
    StoreError::Backend {
        action,
        detail: format!("nobody ever opened the mob {mob}"),
    }
}
