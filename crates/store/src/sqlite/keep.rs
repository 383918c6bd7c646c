//! Snapshots and cursors.

use super::change::Change;
use super::database::failed;
use super::ledger::{self, Ledger};
use crate::store::{Snapshot, StoreError};
use bytes::Bytes;
use mobkit_domain::id::{MobId, Seq};
use rusqlite::{Connection, OptionalExtension as _, params};

/// How many snapshots of a mob are kept: should the newest be damaged, the one before it helps.
const SNAPSHOTS_KEPT: u32 = 2;

/// Saves a snapshot, and drops those that are not needed any more.
pub(super) struct PutSnapshot {
    pub(super) mob: MobId,
    pub(super) snapshot: Snapshot,
}

impl Change for PutSnapshot {
    type Answer = ();

    fn apply(&self, ledger: &mut Ledger) -> Result<(), StoreError> {
        let mob = ledger.known("saving a snapshot", &self.mob)?.number;
        let Snapshot { seq, body } = &self.snapshot;
        let put = "INSERT OR REPLACE INTO snapshots (mob, seq, crc, body) VALUES (?1, ?2, ?3, ?4)";
        let drop = "DELETE FROM snapshots WHERE mob = ?1 AND seq NOT IN \
                    (SELECT seq FROM snapshots WHERE mob = ?1 ORDER BY seq DESC LIMIT ?2)";
        let db = &ledger.connection;
        let written = db
            .execute(
                put,
                params![mob, seq.cast_signed(), checksum(*seq, body), body.as_ref()],
            )
            .and_then(|_| db.execute(drop, params![mob, SNAPSHOTS_KEPT]));
        written
            .map(|_| ())
            .map_err(ledger.failed("saving a snapshot"))
    }
}

/// The newest snapshot of a mob that is whole.
pub(super) fn snapshot(db: &Connection, mob: &MobId) -> Result<Option<Snapshot>, StoreError> {
    let Some(found) = ledger::read(db, mob)? else {
        return Ok(None);
    };
    let mut newest = None;
    let walked = each_snapshot(db, found.number, |snapshot| {
        match snapshot {
            Ok(snapshot) => newest = Some(snapshot),
            Err(seq) => tracing::warn!(%mob, seq, "a snapshot is damaged and counts as none"),
        }
        newest.is_none()
    });
    match walked {
        Err(StoreError::Damaged { detail, .. }) => {
            tracing::warn!(%mob, detail, "the snapshots can't be read and count as none");
            Ok(None)
        }
        walked => walked.map(|()| newest),
    }
}

/// Walks over the snapshots of a mob, newest first, while `next` says so. A damaged one is given as
/// its position.
pub(super) fn each_snapshot(
    db: &Connection,
    mob: i64,
    mut next: impl FnMut(Result<Snapshot, Seq>) -> bool,
) -> Result<(), StoreError> {
    let sql = "SELECT seq, crc, body FROM snapshots WHERE mob = ?1 ORDER BY seq DESC";
    let mut walk = || {
        let mut statement = db.prepare_cached(sql)?;
        let mut found = statement.query([mob])?;
        while let Some(row) = found.next()? {
            let seq = row.get::<_, i64>(0)?.cast_unsigned();
            let body = row.get_ref(2)?.as_blob().unwrap_or_default();
            let whole = row.get_ref(1)?.as_i64() == Ok(i64::from(checksum(seq, body)));
            let body = Bytes::copy_from_slice(body);
            if !next(if whole {
                Ok(Snapshot { seq, body })
            } else {
                Err(seq)
            }) {
                break;
            }
        }
        Ok(())
    };
    walk().map_err(failed("reading a snapshot"))
}

fn checksum(seq: Seq, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&seq.to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}

/// Sets the cursor of a consumer.
pub(super) struct PutCursor {
    pub(super) mob: MobId,
    pub(super) consumer: String,
    pub(super) seq: Seq,
}

impl Change for PutCursor {
    type Answer = ();

    fn apply(&self, ledger: &mut Ledger) -> Result<(), StoreError> {
        let mob = ledger.known("setting a cursor", &self.mob)?.number;
        let sql = "INSERT OR REPLACE INTO cursors (mob, consumer, seq) VALUES (?1, ?2, ?3)";
        let written = ledger
            .connection
            .prepare_cached(sql)
            .and_then(|mut statement| {
                statement.execute(params![mob, self.consumer, self.seq.cast_signed()])
            });
        written
            .map(|_| ())
            .map_err(ledger.failed("setting a cursor"))
    }
}

/// The cursor of a consumer.
pub(super) fn cursor(
    db: &Connection,
    mob: &MobId,
    consumer: &str,
) -> Result<Option<Seq>, StoreError> {
    let sql = "SELECT seq FROM cursors JOIN mobs ON mob = number WHERE id = ?1 AND consumer = ?2";
    let read = db.prepare_cached(sql).and_then(|mut statement| {
        let found = statement.query_row([mob.as_str(), consumer], |row| row.get::<_, i64>(0));
        found.optional()
    });
    read.map(|found| found.map(i64::cast_unsigned))
        .map_err(failed("reading a cursor"))
}
