//! Forgetting the beginning of a journal.

use super::change::Change;
use super::database::{place, seq_of};
use super::ledger::{Ledger, Mob};
use crate::store::StoreError;
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::time::Time;
use rusqlite::params;

/// So many events are forgotten in one transaction, so that appends don't wait long.
const EVENTS_MAX: u64 = 2_000;

/// Forgets a piece of the prefix below `oldest` that is older than `before`.
pub(super) struct Trim {
    pub(super) mob: MobId,
    pub(super) oldest: Seq,
    pub(super) before: Time,
}

/// What is left.
pub(super) struct Trimmed {
    /// The first position that is left.
    pub(super) oldest: Seq,
    /// Whether there may be more to forget.
    pub(super) more: bool,
}

impl Change for Trim {
    type Answer = Trimmed;

    fn apply(&self, ledger: &mut Ledger) -> Result<Trimmed, StoreError> {
        let mob = ledger.known("trimming", &self.mob)?;
        let limit = self.oldest.min(mob.head + 1);
        if limit <= mob.oldest {
            return Ok(Trimmed {
                oldest: mob.oldest,
                more: false,
            });
        }
        let end = limit.min(mob.oldest + EVENTS_MAX);
        let young = "SELECT min(place) FROM events WHERE place >= ?1 AND place < ?2 AND time >= ?3";
        let forget = "DELETE FROM events WHERE place >= ?1 AND place < ?2";
        let (from, to) = (place(mob.number, mob.oldest), place(mob.number, end));
        let db = &ledger.connection;
        let young: Option<i64> = db
            .query_row(young, params![from, to, self.before.0], |row| row.get(0))
            .map_err(ledger.failed("trimming"))?;
        db.execute(forget, [from, young.unwrap_or(to)])
            .map_err(ledger.failed("trimming"))?;
        let oldest = young.map_or(end, seq_of);
        ledger.stand(&self.mob, Mob { oldest, ..mob });
        Ok(Trimmed {
            oldest,
            more: young.is_none() && end < limit,
        })
    }
}
