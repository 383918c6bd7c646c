//! Whether the read tables say what the journal says.

use super::database::{failed, place};
use super::{events, ledger, record};
use crate::store::{EventQuery, StoreError};
use crate::word;
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::projection::project;
use mobkit_domain::row::{Row, Table};
use mobkit_domain::state::State;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// Events read at once.
const PAGE: usize = 1_000;
/// After so many problems the rest is only counted.
const PROBLEMS_MAX: usize = 100;
const ACTION: &str = "comparing the read tables with the journal";

/// The tables, with what reads them.
const TABLES: [(Table, &str); 6] = [
    (Table::Message, "SELECT place, crc, body FROM messages"),
    (Table::Turn, "SELECT place, crc, body FROM turns"),
    (Table::Approval, "SELECT place, crc, body FROM approvals"),
    (
        Table::Occurrence,
        "SELECT place, crc, body FROM occurrences",
    ),
    (Table::Delivery, "SELECT place, crc, body FROM deliveries"),
    (Table::Cost, "SELECT place, crc, body FROM costs"),
];

/// What a row says: whose it is and where it stands. The rest may be told in other words by an
/// earlier version.
type Said = (String, &'static str);

/// Folds the journal anew and compares. Rows whose beginning the journal no longer holds are not
/// looked at. Expects events and rows that were found whole.
pub(super) fn check(db: &Connection, mob: &MobId) -> Result<Vec<String>, StoreError> {
    // One transaction, so that everything is of the same moment.
    let moment = db.unchecked_transaction().map_err(failed(ACTION))?;
    let Some(stands) = ledger::read(&moment, mob)? else {
        return Ok(Vec::new());
    };
    let expected = fold(&moment, mob)?;
    let mut problems = Vec::new();
    for (table, sql) in TABLES {
        let sql = format!("{sql} WHERE place >= ?1 AND place <= ?2 ORDER BY place");
        let first = place(stands.number, stands.oldest);
        let found = read(
            &moment,
            table,
            &sql,
            [first, place(stands.number, Seq::MAX)],
        )?;
        compare(table, &expected, &found, stands.oldest, &mut problems);
    }
    let more = problems.len().saturating_sub(PROBLEMS_MAX);
    if more > 0 {
        problems.truncate(PROBLEMS_MAX);
        problems.push(format!("and {more} more"));
    }
    Ok(problems)
}

/// What the journal says of every row.
fn fold(db: &Connection, mob: &MobId) -> Result<BTreeMap<(&'static str, Seq), Said>, StoreError> {
    let mut state = State::of(mob.clone());
    let mut said = BTreeMap::new();
    let mut query = EventQuery {
        limit: PAGE,
        ..EventQuery::default()
    };
    loop {
        let page = events::page_within(db, mob, &query)?;
        for event in &page.events {
            for row in project(&mut state, event) {
                said.insert((word::of_row(row.table()), row.number()), of(&row));
            }
        }
        if page.at_end {
            return Ok(said);
        }
        query.after = page.next_after;
    }
}

fn of(row: &Row) -> Said {
    (row.owner().to_owned(), row.state())
}

fn read(
    db: &Connection,
    table: Table,
    sql: &str,
    places: [i64; 2],
) -> Result<BTreeMap<Seq, Said>, StoreError> {
    let mut found = BTreeMap::new();
    let mut statement = db.prepare(sql).map_err(failed(ACTION))?;
    let mut rows = statement.query(places).map_err(failed(ACTION))?;
    while let Some(row) = rows.next().map_err(failed(ACTION))? {
        let number = super::database::seq_of(row.get(0).map_err(failed(ACTION))?);
        let crc = row.get(1).map_err(failed(ACTION))?;
        let body = row.get_ref(2).map_err(failed(ACTION))?;
        let row = record::row(table, number, crc, body.as_bytes().unwrap_or_default())?;
        found.insert(number, of(&row));
    }
    Ok(found)
}

fn compare(
    table: Table,
    expected: &BTreeMap<(&'static str, Seq), Said>,
    found: &BTreeMap<Seq, Said>,
    oldest: Seq,
    problems: &mut Vec<String>,
) {
    let word = word::of_row(table);
    let all = expected.range((word, oldest)..=(word, Seq::MAX));
    for ((_, number), said) in all {
        match found.get(number) {
            None => problems.push(format!(
                "{word} {number}: the journal tells of it, and it is not in its table"
            )),
            Some(row) if row != said => problems.push(format!(
                "{word} {number}: its table says that it is {} ({}), the journal {} ({})",
                row.1, row.0, said.1, said.0
            )),
            Some(_) => {}
        }
    }
    for number in found.keys() {
        if !expected.contains_key(&(word, *number)) {
            problems.push(format!(
                "{word} {number}: it is in its table, and the journal does not tell of it"
            ));
        }
    }
}
