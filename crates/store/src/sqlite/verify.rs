//! Reading everything and checking it.

use super::database::{failed, place, seq_of};
use super::keep::each_snapshot;
use super::ledger::{self, Mob};
use super::record;
use crate::blob::{BlobFiles, check_references, mentions};
use crate::store::{StoreError, Verification};
use crate::word;
use mobkit_domain::event::Envelope;
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::row::Table;
use rusqlite::{Connection, Row};
use std::collections::BTreeSet;

/// After so many problems the rest is only counted.
const PROBLEMS_MAX: usize = 100;

const ACTION: &str = "verifying";

struct Check<'a> {
    blobs: &'a BlobFiles,
    found: Verification,
    more: usize,
}

/// Reads everything of a mob, and all blobs.
pub(super) fn verify(
    db: &Connection,
    blobs: &BlobFiles,
    mob: &MobId,
) -> Result<Verification, StoreError> {
    // One transaction, so that everything is of the same moment.
    let moment = db.unchecked_transaction().map_err(failed(ACTION))?;
    let mut check = Check {
        blobs,
        found: Verification::default(),
        more: 0,
    };
    let checked = check.database(&moment, mob);
    match checked {
        // Where SQLite can't read on, that is what is wrong.
        Err(StoreError::Damaged { what, detail }) => check.problem(format!("{what}: {detail}")),
        checked => checked?,
    }
    check.blobs()?;
    let more = check.more;
    if more > 0 {
        check.found.problems.push(format!("and {more} more"));
    }
    Ok(check.found)
}

impl Check<'_> {
    fn problem(&mut self, problem: String) {
        if self.found.problems.len() < PROBLEMS_MAX {
            self.found.problems.push(problem);
        } else {
            self.more += 1;
        }
    }

    fn database(&mut self, db: &Connection, mob: &MobId) -> Result<(), StoreError> {
        let said = db
            .prepare("PRAGMA integrity_check")
            .and_then(|mut statement| {
                let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
                lines.collect::<rusqlite::Result<Vec<_>>>()
            });
        for line in said
            .map_err(failed(ACTION))?
            .into_iter()
            .filter(|line| line != "ok")
        {
            self.problem(format!("database: {line}"));
        }
        let Some(mob) = ledger::read(db, mob)? else {
            return Ok(());
        };
        self.events(db, mob)?;
        for (table, sql) in [
            (
                Table::Message,
                "SELECT place, owner, state, crc, body FROM messages",
            ),
            (
                Table::Turn,
                "SELECT place, owner, state, crc, body FROM turns",
            ),
            (
                Table::Approval,
                "SELECT place, owner, state, crc, body FROM approvals",
            ),
            (
                Table::Occurrence,
                "SELECT place, owner, state, crc, body FROM occurrences",
            ),
            (
                Table::Delivery,
                "SELECT place, owner, state, crc, body FROM deliveries",
            ),
            (
                Table::Cost,
                "SELECT place, owner, state, crc, body FROM costs",
            ),
        ] {
            self.rows(db, mob, table, sql)?;
        }
        each_snapshot(db, mob.number, |snapshot| {
            match snapshot {
                Err(seq) => {
                    self.problem(format!("snapshot {seq}: it does not match its checksum"));
                }
                Ok(snapshot) if snapshot.seq > mob.head => {
                    self.problem(format!(
                        "snapshot {}: it is ahead of the journal",
                        snapshot.seq
                    ));
                }
                Ok(_) => {}
            }
            true
        })
    }

    fn events(&mut self, db: &Connection, mob: Mob) -> Result<(), StoreError> {
        let sql = "SELECT place, kind, source, subject, time, turn, crc, body FROM events \
                   WHERE place > ?1 AND place <= ?2 ORDER BY place";
        let mut expected = mob.oldest;
        each(db, sql, mob, |row| {
            let seq = seq_of(row.get(0)?);
            // Below the oldest lies only what sessions keep.
            if seq >= mob.oldest {
                if seq != expected {
                    let gap = format!("event {seq}: it follows no event {}", seq - 1);
                    self.problem(gap);
                }
                expected = seq + 1;
            }
            self.found.events += 1;
            let body = row.get_ref(7)?.as_bytes().unwrap_or_default();
            match record::event(seq, row.get(6)?, body) {
                Ok(event) => {
                    if let Some(wrong) = disagreement(&event, row)? {
                        self.problem(format!("event {seq}: its column {wrong} is wrong"));
                    }
                    self.references(&format!("event {seq}"), body);
                }
                Err(error) => self.problem(error.to_string()),
            }
            Ok(())
        })?;
        if expected != mob.head + 1 {
            self.problem(format!("event {expected}: it is missing"));
        }
        Ok(())
    }

    fn rows(
        &mut self,
        db: &Connection,
        mob: Mob,
        table: Table,
        sql: &str,
    ) -> Result<(), StoreError> {
        let sql = format!("{sql} WHERE place > ?1 AND place <= ?2 ORDER BY place");
        each(db, &sql, mob, |row| {
            let number = seq_of(row.get(0)?);
            let what = format!("{} {number}", word::of_row(table));
            self.found.rows += 1;
            let body = row.get_ref(4)?.as_bytes().unwrap_or_default();
            match record::row(table, number, row.get(3)?, body) {
                Ok(parsed) => {
                    let owner = row.get_ref(1)?.as_str() == Ok(parsed.owner());
                    if !owner || row.get_ref(2)?.as_str() != Ok(parsed.state()) {
                        self.problem(format!("{what}: a column is wrong"));
                    }
                    if number > mob.head {
                        self.problem(format!("{what}: it is ahead of the journal"));
                    }
                    self.references(&what, body);
                }
                Err(error) => self.problem(error.to_string()),
            }
            Ok(())
        })
    }

    fn references(&mut self, what: &str, body: &[u8]) {
        // Most records name no blob, and need not be read a second time.
        if !contains(body, b"\"sha256:") {
            return;
        }
        let value = serde_json::from_slice(body).expect("the record was parsed before");
        let mut problems = Vec::new();
        check_references(what, &value, |blob| self.blobs.size(blob), &mut problems);
        for problem in problems {
            self.problem(problem);
        }
    }

    fn blobs(&mut self) -> Result<(), StoreError> {
        let (blobs, strays) = self.blobs.list()?;
        for blob in blobs {
            self.found.blobs += 1;
            if let Err(error) = self.blobs.get(&blob) {
                self.problem(error.to_string());
            }
        }
        for stray in strays {
            self.problem(format!("blobs: {} is no blob", stray.display()));
        }
        Ok(())
    }
}

/// The names of all blobs that any record mentions, of every mob.
pub(super) fn mentioned(db: &Connection) -> Result<BTreeSet<String>, StoreError> {
    const TABLES: [&str; 7] = [
        "events",
        "messages",
        "turns",
        "approvals",
        "occurrences",
        "deliveries",
        "snapshots",
    ];
    let action = failed("looking for blobs that are mentioned");
    // One transaction, so that nothing moves from one table to another behind the search.
    let moment = db.unchecked_transaction().map_err(&action)?;
    let mut found = BTreeSet::new();
    for table in TABLES {
        let sql = format!("SELECT body FROM {table} WHERE instr(body, 'sha256:') > 0");
        let mut search = || {
            let mut statement = moment.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let body = row.get_ref(0)?.as_bytes().unwrap_or_default();
                mentions(&String::from_utf8_lossy(body), &mut found);
            }
            Ok(())
        };
        search().map_err(&action)?;
    }
    Ok(found)
}

/// Walks over the rows of a mob.
fn each(
    db: &Connection,
    sql: &str,
    mob: Mob,
    mut visit: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> Result<(), StoreError> {
    let mut walk = || {
        let mut statement = db.prepare(sql)?;
        let mut rows = statement.query([place(mob.number, 0), place(mob.number, Seq::MAX)])?;
        while let Some(row) = rows.next()? {
            visit(row)?;
        }
        Ok(())
    };
    walk().map_err(failed(ACTION))
}

/// The first column that says something else than the event.
fn disagreement(event: &Envelope, row: &Row<'_>) -> rusqlite::Result<Option<&'static str>> {
    let turn = event.turn.map(|turn| turn.0.cast_signed());
    let checks = [
        ("kind", row.get_ref(1)?.as_str() == Ok(event.event.kind())),
        (
            "source",
            row.get_ref(2)?.as_str() == Ok(word::of_source(event.source)),
        ),
        (
            "subject",
            row.get_ref(3)?.as_str() == Ok(event.subject.as_str()),
        ),
        ("time", row.get_ref(4)?.as_i64() == Ok(event.time.0)),
        ("turn", row.get_ref(5)?.as_i64_or_null() == Ok(turn)),
    ];
    Ok(checks
        .into_iter()
        .find(|(_, agrees)| !agrees)
        .map(|(column, _)| column))
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}
