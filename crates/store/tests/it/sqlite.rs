//! The state directory: who holds it, what lies in it, who may read it.

use crate::place::{self, batch, fill, mob, open, outside, read};
use mobkit_store::{Durability, SqliteStore, Store, StoreError};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

#[tokio::test]
async fn a_dropped_store_keeps_everything_and_lets_go() {
    let place = place::directory();
    let store = open(place.path());
    fill(&store, 500).await;
    drop(store);
    let store = open(place.path());
    assert_eq!(
        read(&store, 0).await.expect("read"),
        (1..=500).collect::<Vec<_>>()
    );
    assert_eq!(store.open(&mob()).await.expect("opened").head, 500);
}

#[tokio::test]
async fn a_second_store_is_refused_and_told_who_holds_the_directory() {
    let place = place::directory();
    let first = open(place.path());
    let second = SqliteStore::open(place.path(), Durability::Power).err();
    let Some(StoreError::Locked { pid, path }) = second else {
        panic!("{second:?}")
    };
    assert_eq!(pid, std::process::id());
    assert_eq!(Path::new(&path), place.path());
    fill(&first, 3).await;
    first.close().await.expect("closed");
    drop(open(place.path()));
}

#[tokio::test]
async fn everything_is_readable_by_its_owner_alone() {
    let place = place::directory();
    let state = place.path().join("deep").join("state");
    let store = open(&state);
    fill(&store, 1).await;
    store.blob_put("content".into()).await.expect("put");
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    let mut seen = 0;
    let mut open = vec![state];
    while let Some(path) = open.pop() {
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), expected, "{}", path.display());
        seen += 1;
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a directory");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        }
    }
    // state, lock, database, log, its index, blobs, partial, a directory and a blob in it.
    assert_eq!(seen, 9);
}

#[tokio::test]
async fn a_later_schema_is_refused() {
    let place = place::directory();
    drop(open(place.path()));
    outside(place.path())
        .pragma_update(None, "user_version", 99)
        .expect("set");
    let refused = SqliteStore::open(place.path(), Durability::Power).err();
    assert!(
        matches!(refused, Some(StoreError::SchemaAhead { found: 99, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn what_is_no_database_of_ours_is_refused_and_left_alone() {
    let place = place::directory();
    fs::write(
        place.path().join("mobkit.db"),
        b"not a database at all, but long enough to look",
    )
    .expect("a file");
    let refused = SqliteStore::open(place.path(), Durability::Power).err();
    assert!(
        matches!(refused, Some(StoreError::Damaged { .. })),
        "{refused:?}"
    );
    let foreign = place::directory();
    outside(foreign.path())
        .execute_batch("CREATE TABLE theirs (x)")
        .expect("a table");
    let refused = SqliteStore::open(foreign.path(), Durability::Power).err();
    assert!(
        matches!(refused, Some(StoreError::Backend { .. })),
        "{refused:?}"
    );
    let tables = "SELECT group_concat(name) FROM sqlite_schema";
    let found: String = outside(foreign.path())
        .query_row(tables, [], |row| row.get(0))
        .expect("read");
    assert_eq!(found, "theirs");
}

#[test]
fn a_durability_that_sqlite_can_not_offer_is_refused() {
    let place = place::directory();
    assert!(SqliteStore::open(place.path(), Durability::Memory).is_err());
    assert_eq!(fs::read_dir(place.path()).expect("a directory").count(), 0);
}

#[tokio::test]
async fn a_dropped_append_is_done_all_the_same() {
    let place = place::directory();
    let store = open(place.path());
    fill(&store, 1).await;
    let id = mob();
    {
        let mut append = store.append(&id, 1, 2, batch(2, 1));
        // Polled once, it is with the writer.
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(append.as_mut().poll(cx)));
        assert!(polled.await.is_pending());
    }
    store.close().await.expect("closed");
    assert_eq!(read(&open(place.path()), 0).await.expect("read"), [1, 2]);
}
