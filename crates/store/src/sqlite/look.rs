//! Looking at a state directory without taking it: beside a running server, or where none runs.

use super::database::{FILE, failed, open_reader, open_writer};
use super::migrations::{STEPS, version};
use super::{agreement, ledger, verify};
use crate::archive::MobHead;
use crate::blob::{BLOBS, BlobFiles};
use crate::store::{Durability, StoreError, Verification};
use mobkit_domain::id::MobId;
use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// A database and its blobs, which are read and never changed.
pub(crate) struct Look {
    connection: Connection,
    database: PathBuf,
    blobs: BlobFiles,
}

impl Look {
    /// Opens what is in a state directory; `None` where there is no database.
    pub(crate) fn open(state_dir: &Path) -> Result<Option<Self>, StoreError> {
        let database = state_dir.join(FILE);
        if !database.is_file() {
            return Ok(None);
        }
        Self::of(&database, &state_dir.join(BLOBS)).map(Some)
    }

    /// Opens a database that belongs to these blobs.
    pub(crate) fn of(database: &Path, blobs: &Path) -> Result<Self, StoreError> {
        let connection = open_reader(database)?;
        let look = Self {
            connection,
            database: database.to_owned(),
            blobs: BlobFiles::look(blobs),
        };
        let (found, known) = (look.version()?, known());
        if found > known {
            return Err(StoreError::SchemaAhead { found, known });
        }
        Ok(look)
    }

    fn version(&self) -> Result<u32, StoreError> {
        version(&self.connection, &self.database)
    }

    /// Whether the schema is the one that this program writes.
    pub(crate) fn is_current(&self) -> Result<bool, StoreError> {
        Ok(self.version()? == known())
    }

    /// Copies the database as it is now into a file that is empty or missing. A server that writes
    /// at the same time is not held up.
    pub(crate) fn copy_into(&self, copy: &Path) -> Result<(), StoreError> {
        let action = "copying the database";
        let text = copy.to_str().ok_or_else(|| StoreError::Backend {
            action,
            detail: format!("{} is not UTF-8", copy.display()),
        })?;
        let copied = self.connection.execute("VACUUM INTO ?1", [text]);
        copied.map(|_| ()).map_err(failed(action))
    }

    /// Reads everything of every mob and checks it, the read tables against the journal as well.
    pub(crate) fn verify(&self) -> Result<Vec<(String, Verification)>, StoreError> {
        let mut all = Vec::new();
        for id in ledger::mobs(&self.connection)? {
            let mob = MobId::parse(&id).map_err(|error| StoreError::Damaged {
                what: format!("mob {id:?}"),
                detail: error.to_string(),
            })?;
            let mut found = verify::verify(&self.connection, &self.blobs, &mob)?;
            // What was damaged would be said a second time in other words.
            if found.problems.is_empty() {
                found.problems = agreement::check(&self.connection, &mob)?;
            }
            all.push((id, found));
        }
        Ok(all)
    }

    /// Where each mob stands.
    pub(crate) fn heads(&self) -> Result<Vec<MobHead>, StoreError> {
        let mut heads = Vec::new();
        for id in ledger::mobs(&self.connection)? {
            let stands = MobId::parse(&id)
                .ok()
                .map(|mob| ledger::read(&self.connection, &mob));
            if let Some(stands) = stands.transpose()?.flatten() {
                heads.push(MobHead {
                    mob: id,
                    oldest: stands.oldest,
                    head: stands.head,
                });
            }
        }
        Ok(heads)
    }
}

fn known() -> u32 {
    u32::try_from(STEPS.len()).expect("the steps are few")
}

/// Brings the schema of a database that nobody else has open up to date.
pub(crate) fn bring_up_to_date(database: &Path, durability: Durability) -> Result<(), StoreError> {
    let connection = open_writer(database, durability)?;
    let closed = connection.close();
    closed.map_err(|(_, error)| failed("closing the database")(error))
}

/// Reads everything in a state directory and checks it, also while a server works in it: SQLite's
/// own structure, the checksum of every event and row, dense positions, that the read tables say
/// what the journal says, that every blob is there and is what its name says. `None` where there is
/// no database. Nothing is changed.
pub fn verify_state_dir(
    state_dir: &Path,
) -> Result<Option<Vec<(String, Verification)>>, StoreError> {
    let Some(look) = Look::open(state_dir)? else {
        return Ok(None);
    };
    if look.is_current()? {
        return look.verify().map(Some);
    }
    let detail = format!(
        "its schema is {}, and the next start brings it to {}",
        look.version()?,
        known()
    );
    let action = "verifying";
    Err(StoreError::Backend { action, detail })
}
