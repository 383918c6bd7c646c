//! Forgetting log lines. Their events stay in their places.

use super::change::Change;
use super::database::{failed, place, seq_of};
use super::ledger::{self, Ledger};
use super::record::{self, EventRecord};
use crate::store::StoreError;
use mobkit_domain::event::{Cut, LOG_KINDS};
use mobkit_domain::id::{MobId, Seq};
use rusqlite::{Connection, params};

/// So many events are rewritten in one transaction.
const EVENTS_MAX: u32 = 500;

const ACTION: &str = "forgetting log lines";

/// The next events from a position on that a cut covers and that still hold lines.
pub(super) fn find(
    db: &Connection,
    mob: &MobId,
    cut: Cut,
    from: Seq,
) -> Result<Vec<i64>, StoreError> {
    let Some(mob) = ledger::read(db, mob)? else {
        return Ok(Vec::new());
    };
    let sql = "SELECT place FROM events WHERE place >= ?1 AND place < ?2 AND kind IN (?3, ?4) \
               AND time < ?5 AND body NOT LIKE '%\"lines\":[]%' ORDER BY place LIMIT ?6";
    let (from, to) = (place(mob.number, from), place(mob.number, cut.below));
    let [module, engine] = LOG_KINDS;
    let read = db.prepare_cached(sql).and_then(|mut statement| {
        let params = params![from, to, module, engine, cut.before.0, EVENTS_MAX];
        statement.query_map(params, |row| row.get(0))?.collect()
    });
    read.map_err(failed(ACTION))
}

/// Takes the lines out of these events.
pub(super) struct Forget {
    pub(super) places: Vec<i64>,
}

impl Change for Forget {
    type Answer = ();

    fn apply(&self, ledger: &mut Ledger) -> Result<(), StoreError> {
        let db = &ledger.connection;
        for at in &self.places {
            let select = "SELECT crc, body FROM events WHERE place = ?1";
            let read = db.prepare_cached(select).and_then(|mut statement| {
                let mut rows = statement.query([at])?;
                let row = rows.next()?;
                row.map(|row| Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?)))
                    .transpose()
            });
            let Some((crc, body)) = read.map_err(ledger.failed(ACTION))? else {
                // Forgotten as a whole in the meantime.
                continue;
            };
            let mut envelope = record::event(seq_of(*at), crc, body.as_bytes())?;
            if !envelope.event.forget_lines() {
                continue;
            }
            let left = EventRecord::of(envelope);
            let update = "UPDATE events SET crc = ?2, body = ?3 WHERE place = ?1";
            db.prepare_cached(update)
                .and_then(|mut statement| statement.execute(params![at, left.crc, left.body]))
                .map_err(ledger.failed(ACTION))?;
        }
        Ok(())
    }

    fn records(&self) -> usize {
        self.places.len()
    }
}
