//! Opening the file, and what its errors mean.

use super::migrations::{STEPS, migrate};
use crate::files;
use crate::store::{Durability, StoreError};
use mobkit_domain::id::Seq;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::Path;

/// The name of the database in the state directory.
pub(crate) const FILE: &str = "mobkit.db";

/// The first position beyond those that a place can hold.
const SEQ_END: Seq = 1 << 40;
const STATEMENTS_MAX: usize = 64;
/// Memory for pages, in KiB: the writer touches the ends of many trees.
const WRITER_CACHE_KIB: i64 = 32 * 1024;

/// Opens the connection that writes; the file is made and brought to the current schema.
pub(super) fn open_writer(file: &Path, durability: Durability) -> Result<Connection, StoreError> {
    // Made here, since SQLite gives its files the mode of the first.
    drop(files::file(file)?);
    let action = "opening the database";
    let connection = Connection::open(file).map_err(failed(action))?;
    let mode = configure(&connection, durability).map_err(failed(action))?;
    if mode != "wal" {
        let detail = format!("{}: no write-ahead log here, but {mode}", file.display());
        return Err(StoreError::Backend { action, detail });
    }
    migrate(&connection, file, STEPS)?;
    file.parent().map_or(Ok(()), files::sync_directory)?;
    Ok(connection)
}

/// Sets the connection up. Returns the mode of the journal, which the file system has a say in.
fn configure(connection: &Connection, durability: Durability) -> rusqlite::Result<String> {
    let set = |name, value: &str| connection.pragma_update(None, name, value);
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    match durability {
        Durability::Power => {
            set("synchronous", "full")?;
            // On systems whose plain sync leaves data in the cache of the disk.
            set("fullfsync", "on")?;
            set("checkpoint_fullfsync", "on")?;
        }
        Durability::Process | Durability::Memory => set("synchronous", "normal")?,
    }
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
}

/// Opens a connection that reads.
pub(super) fn open_reader(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(file, flags).map_err(failed("opening the database"))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(connection)
}

/// The key of a position of a mob.
pub(super) fn place(mob: i64, seq: Seq) -> i64 {
    let seq = seq.min(SEQ_END - 1);
    (mob << SEQ_END.trailing_zeros()) | i64::try_from(seq).expect("a position has 40 bits")
}

/// The position of a key.
pub(super) fn seq_of(place: i64) -> Seq {
    place.cast_unsigned() & (SEQ_END - 1)
}

/// Turns an error of SQLite into ours.
pub(super) fn failed(action: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged {
            what: "database".to_owned(),
            detail: error.to_string(),
        },
        _ => StoreError::Backend {
            action,
            detail: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_acknowledged_was_synced_where_it_has_to_survive_a_loss_of_power() {
        // 2 is full, a sync with each commit; 1 is normal, one with each checkpoint.
        for (durability, synchronous) in [(Durability::Power, 2), (Durability::Process, 1)] {
            let place = tempfile::tempdir().expect("a directory");
            let writer = open_writer(&place.path().join(FILE), durability).expect("opened");
            let pragma = |name| -> String {
                let value = writer
                    .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
                match value.expect("it is known") {
                    rusqlite::types::Value::Integer(number) => number.to_string(),
                    rusqlite::types::Value::Text(text) => text,
                    other => panic!("{name} is {other:?}"),
                }
            };
            assert_eq!(pragma("synchronous"), synchronous.to_string());
            assert_eq!(pragma("journal_mode"), "wal");
            let power = u8::from(durability == Durability::Power).to_string();
            assert_eq!(pragma("fullfsync"), power);
            assert_eq!(pragma("checkpoint_fullfsync"), power);
        }
    }

    #[test]
    fn places_keep_journals_apart_and_in_order() {
        assert_eq!(seq_of(place(3, 17)), 17);
        assert!(place(3, 17) < place(3, 18));
        assert!(place(3, Seq::MAX) < place(4, 0));
    }
}
