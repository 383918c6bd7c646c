//! Steps from each schema to the next.
//!
//! The version of the schema is the number of steps taken. A step is never changed after a release;
//! a new schema is a new step. Each runs in a transaction of its own, and an existing database is
//! copied beside itself first.

use super::database::failed;
use crate::files;
use crate::store::StoreError;
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use std::fs::{self, File};
use std::path::Path;

/// All steps, in order.
pub(super) const STEPS: &[&str] = &[
    include_str!("migrations/0001_begin.sql"),
    include_str!("migrations/0002_approvals.sql"),
    include_str!("migrations/0003_deliveries.sql"),
    include_str!("migrations/0004_costs.sql"),
];

/// Marks a database as one of ours: `mobk`.
const APPLICATION_ID: i32 = 0x6D6F_626B;
const ACTION: &str = "migrating the database";

/// Brings the database in `file` to the schema after the last of `steps`.
pub(super) fn migrate(
    connection: &Connection,
    file: &Path,
    steps: &[&str],
) -> Result<(), StoreError> {
    let found = version(connection, file)?;
    let known = u32::try_from(steps.len()).expect("the steps are few");
    if found > known {
        return Err(StoreError::SchemaAhead { found, known });
    }
    if found > 0 && found < known {
        copy(connection, file, found)?;
    }
    if found < known {
        offer_checksum(connection)?;
    }
    for (to, step) in (1..=known).zip(steps).skip(found as usize) {
        let script = format!(
            "BEGIN IMMEDIATE; {step}; PRAGMA application_id = {APPLICATION_ID}; \
             PRAGMA user_version = {to}; COMMIT"
        );
        if let Err(error) = connection.execute_batch(&script) {
            // Without a transaction the roll-back has nothing to do and says so.
            let _nothing_open = connection.execute_batch("ROLLBACK");
            return Err(failed(ACTION)(error));
        }
    }
    Ok(())
}

/// Lets steps write records: `crc32(text)` is the checksum that stands beside a body.
fn offer_checksum(connection: &Connection) -> Result<(), StoreError> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection
        .create_scalar_function("crc32", 1, flags, |of| {
            let text = of.get_raw(0).as_bytes().unwrap_or_default();
            Ok(i64::from(crc32fast::hash(text)))
        })
        .map_err(failed(ACTION))
}

/// The version of the schema; 0 in an empty database. Refuses a database of somebody else.
pub(super) fn version(connection: &Connection, file: &Path) -> Result<u32, StoreError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let mark = number("application_id").map_err(failed(ACTION))?;
    let version = number("user_version").map_err(failed(ACTION))?;
    let tables: u32 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed(ACTION))?;
    match u32::try_from(version) {
        Ok(version) if mark == APPLICATION_ID => Ok(version),
        Ok(0) if mark == 0 && tables == 0 => Ok(0),
        _ => {
            let detail = format!("{} is not a database of mobkit", file.display());
            Err(StoreError::Backend {
                action: "opening the database",
                detail,
            })
        }
    }
}

/// Copies the database beside itself, named by its schema: a step can be taken back by hand.
fn copy(connection: &Connection, file: &Path, found: u32) -> Result<(), StoreError> {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".schema-{found}"));
    let path = Path::new(&name);
    // The copy of an attempt that did not finish: the database is still as it was then.
    if path.exists() {
        fs::remove_file(path).map_err(files::failed("removing a copy", path))?;
    }
    let target = files::file(path)?;
    let text = path.to_str().ok_or_else(|| StoreError::Backend {
        action: ACTION,
        detail: format!("{} is not UTF-8", path.display()),
    })?;
    connection
        .execute("VACUUM INTO ?1", [text])
        .map_err(failed(ACTION))?;
    File::sync_all(&target).map_err(files::failed("syncing a copy", path))?;
    path.parent().map_or(Ok(()), files::sync_directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (7)";
    const SECOND: &str = "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1";

    fn open(file: &Path) -> Connection {
        Connection::open(file).expect("a connection")
    }

    #[test]
    fn steps_are_taken_in_order_and_once() {
        let place = tempfile::tempdir().expect("a directory");
        let file = place.path().join("a.db");
        migrate(&open(&file), &file, &[FIRST]).expect("the first step");
        for _ in 0..2 {
            migrate(&open(&file), &file, &[FIRST, SECOND]).expect("the second step");
        }
        let pair = open(&file).query_row("SELECT x, y FROM a", [], |r| Ok((r.get(0)?, r.get(1)?)));
        assert_eq!(pair, Ok((7, 8)));
    }

    #[test]
    fn the_database_as_it_was_lies_beside_it() {
        let place = tempfile::tempdir().expect("a directory");
        let file = place.path().join("a.db");
        migrate(&open(&file), &file, &[FIRST]).expect("the first step");
        assert!(!place.path().join("a.db.schema-0").exists());
        migrate(&open(&file), &file, &[FIRST, SECOND]).expect("the second step");
        let copy = place.path().join("a.db.schema-1");
        assert_eq!(version(&open(&copy), &copy).expect("a version"), 1);
        let kept = open(&copy).query_row("SELECT * FROM a", [], |row| row.get(0));
        assert_eq!(kept, Ok(7));
    }

    #[test]
    fn a_step_that_fails_leaves_the_database_as_it_was() {
        let place = tempfile::tempdir().expect("a directory");
        let file = place.path().join("a.db");
        let broken = "ALTER TABLE a ADD COLUMN y INTEGER; INSERT INTO nowhere VALUES (1)";
        migrate(&open(&file), &file, &[FIRST]).expect("the first step");
        assert!(migrate(&open(&file), &file, &[FIRST, broken]).is_err());
        migrate(&open(&file), &file, &[FIRST, SECOND]).expect("a whole second step");
    }

    #[test]
    fn a_later_schema_and_a_database_of_somebody_else_are_refused() {
        let place = tempfile::tempdir().expect("a directory");
        let file = place.path().join("a.db");
        migrate(&open(&file), &file, &[FIRST, SECOND]).expect("both steps");
        let refused = migrate(&open(&file), &file, &[FIRST]);
        assert!(matches!(
            refused,
            Err(StoreError::SchemaAhead { found: 2, known: 1 })
        ));
        let other = place.path().join("b.db");
        open(&other)
            .execute_batch("CREATE TABLE b (x)")
            .expect("a table");
        let refused = migrate(&open(&other), &other, &[FIRST]);
        assert!(
            matches!(refused, Err(StoreError::Backend { .. })),
            "{refused:?}"
        );
    }
}
