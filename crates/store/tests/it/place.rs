//! Journals in state directories, for the tests of this folder.

use mobkit_domain::event::{Envelope, MemberPaused, NewEvent};
use mobkit_domain::id::{MemberId, MobId, Seq};
use mobkit_domain::time::Time;
use mobkit_store::{Batch, Durability, EventQuery, SqliteStore, Store, StoreError};
use std::path::Path;
use tempfile::TempDir;

pub fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

pub fn open(place: &Path) -> SqliteStore {
    SqliteStore::open(place, Durability::Power).expect("the store opens")
}

pub fn mob() -> MobId {
    MobId::parse("newsroom").expect("a valid id")
}

pub fn event(seq: Seq, member: &str) -> Envelope {
    let member = MemberId::parse(member).expect("a valid id");
    let reason = Some(format!("because of {seq}"));
    let paused = MemberPaused {
        member,
        reason,
        budget: None,
        until: None,
    };
    NewEvent::of(paused).at(seq, Time(1_000), &mob())
}

pub fn batch(first: Seq, count: u64) -> Batch {
    let events = (first..first + count)
        .map(|seq| event(seq, "editor"))
        .collect();
    Batch {
        events,
        rows: Vec::new(),
    }
}

/// Opens the mob and appends so many events to its empty journal.
pub async fn fill(store: &SqliteStore, count: u64) {
    let opened = store.open(&mob()).await.expect("opened");
    store
        .append(&mob(), opened.epoch, 1, batch(1, count))
        .await
        .expect("appended");
}

/// The positions after `after` that can be read, in one page.
pub async fn read(store: &SqliteStore, after: Seq) -> Result<Vec<Seq>, StoreError> {
    let query = EventQuery {
        after,
        limit: 10_000,
        ..EventQuery::default()
    };
    let page = store.events(&mob(), query).await?;
    Ok(page.events.iter().map(|event| event.seq).collect())
}

/// A connection of somebody else to the database.
pub fn outside(place: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(place.join("mobkit.db")).expect("a connection")
}
