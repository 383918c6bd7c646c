//! Events and rows as they are stored: their JSON, its checksum, and what is searched for.

use crate::store::StoreError;
use crate::word;
use mobkit_domain::event::Envelope;
use mobkit_domain::id::Seq;
use mobkit_domain::row::{Row, Table};

/// An event, ready to be written.
pub(super) struct EventRecord {
    pub(super) seq: Seq,
    pub(super) time_ms: i64,
    pub(super) kind: &'static str,
    pub(super) source: &'static str,
    pub(super) subject: String,
    pub(super) turn: Option<Seq>,
    pub(super) crc: u32,
    pub(super) body: String,
}

impl EventRecord {
    pub(super) fn of(event: Envelope) -> Self {
        let body = serde_json::to_string(&event).expect("events have string keys only");
        Self {
            seq: event.seq,
            time_ms: event.time.0,
            kind: event.event.kind(),
            source: word::of_source(event.source),
            subject: event.subject,
            turn: event.turn.map(|turn| turn.0),
            crc: crc32fast::hash(body.as_bytes()),
            body,
        }
    }
}

/// A row, ready to be written.
pub(super) struct RowRecord {
    pub(super) table: Table,
    pub(super) number: Seq,
    pub(super) owner: String,
    pub(super) state: &'static str,
    pub(super) crc: u32,
    pub(super) body: String,
}

impl RowRecord {
    pub(super) fn of(row: &Row) -> Self {
        let body = serde_json::to_string(row).expect("rows have string keys only");
        Self {
            table: row.table(),
            number: row.number(),
            owner: row.owner().to_owned(),
            state: row.state(),
            crc: crc32fast::hash(body.as_bytes()),
            body,
        }
    }
}

/// Reads an event back. One that is not what was written is an error.
pub(super) fn event(seq: Seq, crc: u32, body: &[u8]) -> Result<Envelope, StoreError> {
    let what = || format!("event {seq}");
    check(what, crc, body)?;
    let event: Envelope =
        serde_json::from_slice(body).map_err(|e| damaged(what(), e.to_string()))?;
    if event.seq == seq {
        Ok(event)
    } else {
        Err(damaged(
            what(),
            format!("it says that it is event {}", event.seq),
        ))
    }
}

/// Reads a row back. One that is not what was written is an error.
pub(super) fn row(table: Table, number: Seq, crc: u32, body: &[u8]) -> Result<Row, StoreError> {
    let what = || format!("{} {number}", word::of_row(table));
    check(what, crc, body)?;
    let row: Row = serde_json::from_slice(body).map_err(|e| damaged(what(), e.to_string()))?;
    if (row.table(), row.number()) == (table, number) {
        Ok(row)
    } else {
        let found = format!("{} {}", word::of_row(row.table()), row.number());
        Err(damaged(what(), format!("it says that it is {found}")))
    }
}

fn check(what: impl FnOnce() -> String, crc: u32, body: &[u8]) -> Result<(), StoreError> {
    if crc32fast::hash(body) == crc {
        Ok(())
    } else {
        Err(damaged(what(), "it does not match its checksum"))
    }
}

/// The error for a record that can't be trusted.
pub(super) fn damaged(what: String, detail: impl Into<String>) -> StoreError {
    StoreError::Damaged {
        what,
        detail: detail.into(),
    }
}
