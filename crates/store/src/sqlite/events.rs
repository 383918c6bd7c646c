//! Reading the journal.

use super::database::{failed, place, seq_of};
use super::ledger::{self, Mob};
use super::record::{self, damaged};
use crate::store::{Bounds, EventPage, EventQuery, StoreError};
use crate::word;
use mobkit_domain::id::{MobId, Seq};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, ToSql};

/// A reader looks at so many events before it gives others their turn.
const SCANNED_MAX: usize = 4_096;
/// A page ends once its events have so many bytes.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

const ACTION: &str = "reading events";

/// What the journal still holds.
pub(super) fn bounds(db: &Connection, mob: &MobId) -> Result<Bounds, StoreError> {
    let found = ledger::read(db, mob)?;
    Ok(found.map_or(Bounds { oldest: 1, head: 0 }, |mob| Bounds {
        oldest: mob.oldest,
        head: mob.head,
    }))
}

/// A part of the answer to a query. It may be empty before the end, where a long stretch held
/// nothing that passes; `next_after` tells where to go on.
pub(super) fn page(
    db: &Connection,
    mob: &MobId,
    query: &EventQuery,
) -> Result<EventPage, StoreError> {
    // One transaction, so that the bounds and the events are of the same moment.
    let moment = db.unchecked_transaction().map_err(failed(ACTION))?;
    page_within(&moment, mob, query)
}

/// The same in a transaction that is open.
pub(super) fn page_within(
    moment: &Connection,
    mob: &MobId,
    query: &EventQuery,
) -> Result<EventPage, StoreError> {
    let mut page = EventPage {
        next_after: query.after,
        ..EventPage::default()
    };
    let Some(mob) = ledger::read(moment, mob)? else {
        page.at_end = true;
        return Ok(page);
    };
    let end = if query.until == 0 {
        mob.head
    } else {
        query.until.min(mob.head)
    };
    if query.after >= end || query.limit == 0 {
        page.at_end = query.after >= end;
        return Ok(page);
    }
    Scan {
        mob,
        query,
        end,
        page,
        bytes: 0,
    }
    .run(moment)
}

struct Scan<'a> {
    mob: Mob,
    query: &'a EventQuery,
    end: Seq,
    page: EventPage,
    bytes: usize,
}

impl Scan<'_> {
    fn run(mut self, db: &Connection) -> Result<EventPage, StoreError> {
        // `member/*` covers most of a journal; only a whole subject is worth a detour.
        let subject = self
            .query
            .filter
            .subject
            .as_ref()
            .filter(|subject| !subject.ends_with('*'));
        // What sessions keep below the oldest is sparse, and shown to those who ask for it only.
        let first = self.mob.oldest.saturating_sub(1);
        let after = if self.query.kept {
            self.query.after
        } else {
            self.query.after.max(first)
        };
        let sparse = after < first;
        let from = place(self.mob.number, after);
        let to = place(self.mob.number, self.end);
        let (sql, params): (&str, &[&dyn ToSql]) = match &subject {
            None => (
                "SELECT place, kind, source, subject, crc, body FROM events \
                 WHERE place > ?1 AND place <= ?2 ORDER BY place",
                &[&from, &to],
            ),
            Some(subject) => (
                "SELECT place, kind, source, subject, crc, body \
                 FROM events INDEXED BY events_by_subject \
                 WHERE place > ?1 AND place <= ?2 AND subject = ?3 ORDER BY place",
                &[&from, &to, subject],
            ),
        };
        let mut statement = db.prepare_cached(sql).map_err(failed(ACTION))?;
        let mut rows = statement.query(params).map_err(failed(ACTION))?;
        // Without a detour every position must be met.
        let mut expected = (after + 1).max(self.mob.oldest);
        let mut scanned = 0;
        while let Some(row) = rows.next().map_err(failed(ACTION))? {
            let seq = self.take(row)?;
            if !sparse || seq >= self.mob.oldest {
                if subject.is_none() && seq != expected {
                    return Err(missing(expected));
                }
                expected += 1;
            }
            scanned += 1;
            self.page.next_after = seq;
            let full = self.page.events.len() >= self.query.limit || self.bytes >= PAGE_BYTES_MAX;
            if full || scanned >= SCANNED_MAX {
                self.page.at_end = seq >= self.end;
                return Ok(self.page);
            }
        }
        if subject.is_none() && expected <= self.end {
            return Err(missing(expected));
        }
        self.page.next_after = self.end;
        self.page.at_end = true;
        Ok(self.page)
    }

    /// Takes the event of a row, if it passes. Returns its position.
    fn take(&mut self, row: &Row<'_>) -> Result<Seq, StoreError> {
        let columns = Columns::read(row).map_err(failed(ACTION))?;
        let what = || format!("event {}", columns.seq);
        let word = |column: ValueRef<'_>| {
            let word = column.as_str().map(str::to_owned);
            word.map_err(|_| damaged(what(), "a column is not text"))
        };
        if !self.query.filter.is_open() {
            let (kind, subject) = (word(columns.kind)?, word(columns.subject)?);
            let source = word::source(&word(columns.source)?)
                .ok_or_else(|| damaged(what(), "it has no known source"))?;
            if !self.query.filter.matches(&kind, &subject, source) {
                return Ok(columns.seq);
            }
        }
        let body = columns
            .body
            .as_bytes()
            .map_err(|_| damaged(what(), "it has no body"))?;
        self.page
            .events
            .push(record::event(columns.seq, columns.crc, body)?);
        self.bytes += body.len();
        Ok(columns.seq)
    }
}

/// The columns of an event, as far as a filter needs them.
struct Columns<'a> {
    seq: Seq,
    kind: ValueRef<'a>,
    source: ValueRef<'a>,
    subject: ValueRef<'a>,
    crc: u32,
    body: ValueRef<'a>,
}

impl<'a> Columns<'a> {
    fn read(row: &'a Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: seq_of(row.get(0)?),
            kind: row.get_ref(1)?,
            source: row.get_ref(2)?,
            subject: row.get_ref(3)?,
            crc: row.get(4)?,
            body: row.get_ref(5)?,
        })
    }
}

fn missing(seq: Seq) -> StoreError {
    damaged(format!("event {seq}"), "it is missing")
}
