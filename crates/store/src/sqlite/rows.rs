//! Reading the read tables.

use super::database::{failed, place, seq_of};
use super::ledger;
use super::record;
use crate::store::{RowPage, RowQuery, StoreError};
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::row::{Row, Table};
use rusqlite::{Connection, OptionalExtension as _, ToSql};

/// A reader looks at so many rows before it gives others their turn.
const SCANNED_MAX: usize = 4_096;

const ACTION: &str = "reading rows";

/// The statements of one table.
struct Statements {
    one: &'static str,
    all: &'static str,
    of_owner: &'static str,
    in_state: &'static str,
}

fn statements(table: Table) -> &'static Statements {
    macro_rules! range {
        ($from:expr, $where:literal) => {
            concat!(
                "SELECT place, crc, body, state FROM ",
                $from,
                " WHERE place > ?1 AND place < ?2",
                $where,
                " ORDER BY place DESC"
            )
        };
    }
    macro_rules! statements {
        ($table:literal) => {
            &Statements {
                one: concat!("SELECT crc, body FROM ", $table, " WHERE place = ?1"),
                all: range!($table, ""),
                of_owner: range!(
                    concat!($table, " INDEXED BY ", $table, "_by_owner"),
                    " AND owner = ?3"
                ),
                in_state: range!(
                    concat!($table, " INDEXED BY ", $table, "_by_state"),
                    " AND state = ?3"
                ),
            }
        };
    }
    match table {
        Table::Message => statements!("messages"),
        Table::Turn => statements!("turns"),
        Table::Approval => statements!("approvals"),
        Table::Occurrence => statements!("occurrences"),
        Table::Delivery => statements!("deliveries"),
        Table::Cost => statements!("costs"),
    }
}

/// One row.
pub(super) fn row(
    db: &Connection,
    mob: &MobId,
    table: Table,
    number: Seq,
) -> Result<Option<Row>, StoreError> {
    let Some(mob) = ledger::read(db, mob)? else {
        return Ok(None);
    };
    let read = db
        .prepare_cached(statements(table).one)
        .and_then(|mut statement| {
            let found = statement.query_row([place(mob.number, number)], |row| {
                let body = row.get_ref(1)?.as_bytes().unwrap_or_default();
                Ok(record::row(table, number, row.get(0)?, body))
            });
            found.optional()
        });
    read.map_err(failed(ACTION))?.transpose()
}

/// A part of the answer to a query. It may be empty before the end, where a long stretch held
/// nothing that passes; `next_before` tells where to go on.
pub(super) fn page(db: &Connection, mob: &MobId, query: &RowQuery) -> Result<RowPage, StoreError> {
    let mut page = RowPage::default();
    let Some(mob) = ledger::read(db, mob)?.filter(|_| query.limit > 0) else {
        return Ok(page);
    };
    let from = place(mob.number, 0);
    let to = place(
        mob.number,
        if query.before == 0 {
            Seq::MAX
        } else {
            query.before
        },
    );
    let known = statements(query.table);
    let (sql, word) = match (&query.owner, &query.state) {
        (Some(owner), _) => (known.of_owner, Some(owner.as_str())),
        (None, Some(state)) => (known.in_state, Some(state.as_str())),
        (None, None) => (known.all, None),
    };
    let params: [&dyn ToSql; 3] = [&from, &to, &word];
    let params = if word.is_some() {
        &params[..]
    } else {
        &params[..2]
    };
    let mut statement = db.prepare_cached(sql).map_err(failed(ACTION))?;
    let mut found = statement.query(params).map_err(failed(ACTION))?;
    let mut scanned = 0;
    let mut last = None;
    while let Some(row) = found.next().map_err(failed(ACTION))? {
        if scanned >= SCANNED_MAX {
            page.next_before = last;
            break;
        }
        scanned += 1;
        let number = seq_of(row.get(0).map_err(failed(ACTION))?);
        let state = row
            .get_ref(3)
            .map_err(failed(ACTION))?
            .as_str()
            .unwrap_or_default();
        if query.state.as_ref().is_none_or(|wanted| wanted == state) {
            if page.rows.len() >= query.limit {
                page.next_before = page.rows.last().map(Row::number);
                break;
            }
            let body = row
                .get_ref(2)
                .map_err(failed(ACTION))?
                .as_bytes()
                .unwrap_or_default();
            let crc = row.get(1).map_err(failed(ACTION))?;
            page.rows.push(record::row(query.table, number, crc, body)?);
        }
        last = Some(number);
    }
    Ok(page)
}
