//! The writing connection, and where each mob stands.
//!
//! No other process can write while the state directory is locked, so what is remembered here is
//! what the file says, plus the transaction in progress.

use super::database::failed;
use crate::batch::unknown_mob;
use crate::store::StoreError;
use mobkit_domain::id::{MobId, Seq};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _};
use std::cell::Cell;
use std::collections::BTreeMap;

/// Where a mob stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mob {
    /// Its number in the file.
    pub(super) number: i64,
    /// The epoch in force.
    pub(super) epoch: u64,
    /// The first position that is left.
    pub(super) oldest: Seq,
    /// The last position.
    pub(super) head: Seq,
}

/// The writing connection, and where each mob stands.
pub(super) struct Ledger {
    pub(super) connection: Connection,
    mobs: BTreeMap<MobId, Mob>,
    changed: Vec<MobId>,
    disk_failed: Cell<bool>,
}

/// Reads where a mob stands; `None`: nobody ever opened it.
pub(super) fn read(connection: &Connection, mob: &MobId) -> Result<Option<Mob>, StoreError> {
    let sql = "SELECT number, epoch, oldest, head FROM mobs WHERE id = ?1";
    let read = connection.prepare_cached(sql).and_then(|mut statement| {
        let found = statement.query_row([mob.as_str()], |row| {
            let [number, epoch, oldest, head] = [0, 1, 2, 3].map(|at| row.get::<_, i64>(at));
            Ok(Mob {
                number: number?,
                epoch: epoch?.cast_unsigned(),
                oldest: oldest?.cast_unsigned(),
                head: head?.cast_unsigned(),
            })
        });
        found.optional()
    });
    read.map_err(failed("reading a mob"))
}

impl Ledger {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection,
            mobs: BTreeMap::new(),
            changed: Vec::new(),
            disk_failed: Cell::new(false),
        }
    }

    /// Turns an error of the connection into ours.
    pub(super) fn failed(&self, action: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
        move |error| {
            if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
                self.disk_failed.set(true);
            }
            failed(action)(error)
        }
    }

    /// Whether the disk failed to read, write or sync. What was written since the last commit may
    /// seem to be there and not be on the disk, and a second attempt would not notice.
    pub(super) fn disk_failed(&self) -> bool {
        self.disk_failed.get()
    }

    /// Where the mob stands; `None`: nobody ever opened it.
    pub(super) fn find(&mut self, mob: &MobId) -> Result<Option<Mob>, StoreError> {
        if let Some(known) = self.mobs.get(mob) {
            return Ok(Some(*known));
        }
        let found = read(&self.connection, mob)?;
        if let Some(found) = found {
            self.mobs.insert(mob.clone(), found);
        }
        Ok(found)
    }

    /// The same where it must have been opened before.
    pub(super) fn known(&mut self, action: &'static str, mob: &MobId) -> Result<Mob, StoreError> {
        self.find(mob)?.ok_or_else(|| unknown_mob(action, mob))
    }

    /// Writes a mob that nobody opened before.
    pub(super) fn create(&mut self, mob: &MobId) -> Result<Mob, StoreError> {
        let sql = "INSERT INTO mobs (id, epoch, oldest, head) VALUES (?1, 0, 1, 0)";
        self.connection
            .execute(sql, [mob.as_str()])
            .map_err(self.failed("creating a mob"))?;
        let number = self.connection.last_insert_rowid();
        Ok(Mob {
            number,
            epoch: 0,
            oldest: 1,
            head: 0,
        })
    }

    /// Remembers where the mob stands from here on; the file learns it with the transaction.
    pub(super) fn stand(&mut self, mob: &MobId, now: Mob) {
        if !self.changed.contains(mob) {
            self.changed.push(mob.clone());
        }
        self.mobs.insert(mob.clone(), now);
    }

    /// Begins a transaction.
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        self.run("BEGIN IMMEDIATE")
    }

    /// Commits the transaction. After an error nobody can say what the file holds.
    pub(super) fn commit(&mut self) -> Result<(), StoreError> {
        let sql = "UPDATE mobs SET epoch = ?2, oldest = ?3, head = ?4 WHERE number = ?1";
        for mob in std::mem::take(&mut self.changed) {
            let Some(mob) = self.mobs.get(&mob) else {
                continue;
            };
            let now = [mob.epoch, mob.oldest, mob.head].map(u64::cast_signed);
            let written = self
                .connection
                .prepare_cached(sql)
                .and_then(|mut statement| statement.execute([mob.number, now[0], now[1], now[2]]));
            written.map_err(self.failed("writing a mob"))?;
        }
        self.run("COMMIT")
    }

    /// Takes the transaction back, and forgets what it had changed.
    pub(super) fn roll_back(&mut self) -> Result<(), StoreError> {
        self.mobs.clear();
        self.changed.clear();
        // Some errors end the transaction by themselves.
        if self.connection.is_autocommit() {
            Ok(())
        } else {
            self.run("ROLLBACK")
        }
    }

    fn run(&self, sql: &'static str) -> Result<(), StoreError> {
        let run = self
            .connection
            .prepare_cached(sql)
            .and_then(|mut s| s.execute([]));
        run.map(|_| ()).map_err(self.failed("committing"))
    }
}

/// The ids of all mobs that the database holds, in their order.
pub(super) fn mobs(db: &Connection) -> Result<Vec<String>, StoreError> {
    let action = "listing the mobs";
    let mut statement = db
        .prepare_cached("SELECT id FROM mobs ORDER BY id")
        .map_err(failed(action))?;
    let ids = statement
        .query_map([], |row| row.get(0))
        .map_err(failed(action))?;
    ids.collect::<Result<_, _>>().map_err(failed(action))
}
