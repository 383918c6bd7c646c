//! Taking a mob over, and appending to its journal.

use super::change::Change;
use super::database::place;
use super::ledger::{Ledger, Mob};
use super::record::{EventRecord, RowRecord};
use crate::batch::{Standing, check_order};
use crate::store::{Opened, StoreError};
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::row::Table;
use rusqlite::{Connection, params};

/// Raises the epoch of a mob.
pub(super) struct Open {
    pub(super) mob: MobId,
}

impl Change for Open {
    type Answer = Opened;

    fn apply(&self, ledger: &mut Ledger) -> Result<Opened, StoreError> {
        let found = match ledger.find(&self.mob)? {
            Some(found) => found,
            None => ledger.create(&self.mob)?,
        };
        let now = Mob {
            epoch: found.epoch + 1,
            ..found
        };
        ledger.stand(&self.mob, now);
        Ok(Opened {
            epoch: now.epoch,
            head: now.head,
        })
    }
}

/// Appends a batch, which was checked to be dense.
pub(super) struct Append {
    pub(super) mob: MobId,
    pub(super) epoch: u64,
    pub(super) expected: Seq,
    pub(super) events: Vec<EventRecord>,
    pub(super) rows: Vec<RowRecord>,
}

impl Change for Append {
    type Answer = ();

    fn apply(&self, ledger: &mut Ledger) -> Result<(), StoreError> {
        let found = ledger.find(&self.mob)?;
        let standing = found.map_or(Standing { epoch: 0, head: 0 }, |mob| Standing {
            epoch: mob.epoch,
            head: mob.head,
        });
        check_order(standing, self.epoch, self.expected)?;
        let mob = ledger.known("appending", &self.mob)?;
        let written = insert_events(&ledger.connection, mob.number, &self.events)
            .and_then(|()| insert_rows(&ledger.connection, mob.number, &self.rows));
        written.map_err(ledger.failed("appending"))?;
        ledger.stand(
            &self.mob,
            Mob {
                head: mob.head + self.events.len() as u64,
                ..mob
            },
        );
        Ok(())
    }

    fn records(&self) -> usize {
        self.events.len() + self.rows.len()
    }
}

fn insert_events(db: &Connection, mob: i64, events: &[EventRecord]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO events (place, time, kind, source, subject, turn, crc, body) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let mut statement = db.prepare_cached(sql)?;
    for event in events {
        statement.execute(params![
            place(mob, event.seq),
            event.time_ms,
            event.kind,
            event.source,
            event.subject,
            event.turn.map(u64::cast_signed),
            event.crc,
            event.body,
        ])?;
    }
    Ok(())
}

fn insert_rows(db: &Connection, mob: i64, rows: &[RowRecord]) -> rusqlite::Result<()> {
    for row in rows {
        let mut statement = db.prepare_cached(put(row.table))?;
        let key = place(mob, row.number);
        statement.execute(params![
            key,
            row.owner.as_str(),
            row.state,
            row.crc,
            row.body
        ])?;
    }
    Ok(())
}

/// Writes a row over the one of the same place. Its entries in indexes stay where they are right.
fn put(table: Table) -> &'static str {
    macro_rules! sql {
        ($table:literal) => {
            concat!(
                "INSERT INTO ",
                $table,
                " (place, owner, state, crc, body) VALUES (?1, ?2, ?3, ?4, ?5)",
                " ON CONFLICT (place) DO UPDATE SET owner = excluded.owner,",
                " state = excluded.state, crc = excluded.crc, body = excluded.body"
            )
        };
    }
    match table {
        Table::Message => sql!("messages"),
        Table::Turn => sql!("turns"),
        Table::Approval => sql!("approvals"),
        Table::Occurrence => sql!("occurrences"),
        Table::Delivery => sql!("deliveries"),
        Table::Cost => sql!("costs"),
    }
}
