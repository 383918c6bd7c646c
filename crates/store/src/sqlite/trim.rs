//! Forgetting the beginning of a journal.

use super::change::Change;
use super::database::{place, seq_of};
use super::ledger::{Ledger, Mob};
use super::record;
use crate::keep::Keep;
use crate::store::StoreError;
use mobkit_domain::event::Cut;
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::row::Table;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};
use std::sync::Arc;

/// So many events are looked at in one transaction, so that appends don't wait long.
const EVENTS_MAX: u16 = 2_000;
/// Tables with rows.
const TABLES: [(&str, Table); 5] = [
    ("messages", Table::Message),
    ("turns", Table::Turn),
    ("approvals", Table::Approval),
    ("occurrences", Table::Occurrence),
    ("deliveries", Table::Delivery),
];

/// Forgets a piece of the prefix that a cut covers, from a position on, and the rows of the same
/// positions.
pub(super) struct Piece {
    pub(super) mob: MobId,
    pub(super) cut: Cut,
    pub(super) keep: Arc<Keep>,
    pub(super) from: Seq,
}

/// What is left.
pub(super) struct Trimmed {
    /// The first position that is left.
    pub(super) oldest: Seq,
    /// Where the next piece begins; `None`: this was the last one.
    pub(super) next: Option<Seq>,
}

/// What a piece found.
struct Found {
    /// Events to be forgotten.
    places: Vec<i64>,
    /// The position at which the piece ends.
    end: Seq,
    /// Whether there may be more to forget.
    more: bool,
}

impl Change for Piece {
    type Answer = Trimmed;

    fn apply(&self, ledger: &mut Ledger) -> Result<Trimmed, StoreError> {
        let mob = ledger.known("trimming", &self.mob)?;
        let limit = self.cut.below.min(mob.head + 1).max(mob.oldest);
        let db = &ledger.connection;
        let piece = self
            .find(db, mob, limit)
            .and_then(|found| {
                self.forget(db, mob.number, &found)?;
                Ok(found)
            })
            .map_err(ledger.failed("trimming"))?;
        let oldest = mob.oldest.max(piece.end);
        if oldest > mob.oldest {
            ledger.stand(&self.mob, Mob { oldest, ..mob });
        }
        Ok(Trimmed {
            oldest,
            next: piece.more.then_some(piece.end),
        })
    }

    fn records(&self) -> usize {
        usize::from(EVENTS_MAX)
    }
}

impl Piece {
    fn find(&self, db: &Connection, mob: Mob, limit: Seq) -> rusqlite::Result<Found> {
        let sql = "SELECT place, subject, time, kind FROM events WHERE place >= ?1 AND place < ?2 \
                   ORDER BY place LIMIT ?3";
        let mut statement = db.prepare_cached(sql)?;
        let (from, to) = (place(mob.number, self.from), place(mob.number, limit));
        let mut rows = statement.query(params![from, to, EVENTS_MAX])?;
        let (mut places, mut looked, mut end) = (Vec::new(), 0, limit);
        while let Some(row) = rows.next()? {
            let at: i64 = row.get(0)?;
            let seq = seq_of(at);
            // What is below the oldest was old enough before, and was kept for a session.
            if seq >= mob.oldest && row.get::<_, i64>(2)? >= self.cut.before.0 {
                let more = false;
                return Ok(Found {
                    places,
                    end: seq,
                    more,
                });
            }
            let subject = row.get_ref(1)?.as_str().unwrap_or_default();
            let message = row.get_ref(3)?.as_str() == Ok("message.accepted");
            let held = self.keep.holds(subject, seq)
                || (message && self.keep.is_about(subject) && self.holds_message(db, at)?);
            if !held {
                places.push(at);
            }
            (looked, end) = (looked + 1, seq + 1);
        }
        let more = looked == EVENTS_MAX;
        let end = if more { end } else { limit };
        Ok(Found { places, end, more })
    }

    /// Whether the message that was accepted here stays: with the turn that took it.
    fn holds_message(&self, db: &Connection, at: i64) -> rusqlite::Result<bool> {
        let sql = "SELECT crc, body FROM messages WHERE place = ?1";
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = statement.query([at])?;
        let found = rows.next()?;
        found.map_or(Ok(false), |row| {
            Ok(self.holds_row(Table::Message, seq_of(at), row.get(0)?, row.get_ref(1)?))
        })
    }

    /// A row that can't be read stays: it is for a check to find.
    fn holds_row(&self, table: Table, number: Seq, crc: u32, body: ValueRef<'_>) -> bool {
        let row = record::row(table, number, crc, body.as_bytes().unwrap_or_default());
        row.map_or(true, |row| self.keep.holds_row(&row))
    }

    fn forget(&self, db: &Connection, mob: i64, found: &Found) -> rusqlite::Result<()> {
        let mut forget = db.prepare_cached("DELETE FROM events WHERE place = ?1")?;
        for at in &found.places {
            forget.execute([at])?;
        }
        let (from, to) = (place(mob, self.from), place(mob, found.end));
        for (name, table) in TABLES {
            let select =
                format!("SELECT place, crc, body FROM {name} WHERE place >= ?1 AND place < ?2");
            let mut statement = db.prepare_cached(&select)?;
            let mut rows = statement.query([from, to])?;
            let mut gone = Vec::new();
            while let Some(row) = rows.next()? {
                let at: i64 = row.get(0)?;
                if !self.holds_row(table, seq_of(at), row.get(1)?, row.get_ref(2)?) {
                    gone.push(at);
                }
            }
            let delete = format!("DELETE FROM {name} WHERE place = ?1");
            let mut delete = db.prepare_cached(&delete)?;
            for at in gone {
                delete.execute([at])?;
            }
        }
        Ok(())
    }
}
