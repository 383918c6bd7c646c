//! What is there after the process was killed, or the machine lost power while it wrote.

use crate::place::{self, batch, fill, mob, open, read};
use mobkit_domain::id::Seq;
use mobkit_store::{SqliteStore, Store};
use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

/// Copies the files as a killed process would leave them: the log first holds what is acknowledged,
/// so it is copied last.
fn copy(from: &Path) -> TempDir {
    let to = place::directory();
    for name in ["mobkit.db", "mobkit.db-wal"] {
        fs::copy(from.join(name), to.path().join(name)).expect("copied");
    }
    to
}

async fn check(store: &SqliteStore, acknowledged: Seq) {
    let head = store.bounds(&mob()).await.expect("bounds").head;
    assert!(
        head >= acknowledged,
        "{head} of {acknowledged} acknowledged events are there"
    );
    assert_eq!(
        read(store, 0).await.expect("read"),
        (1..=head).collect::<Vec<_>>()
    );
    let found = store.verify(&mob()).await.expect("verified");
    assert_eq!((found.events, found.problems), (head, vec![]));
}

#[tokio::test]
async fn everything_acknowledged_survives_a_kill() {
    let place = place::directory();
    let store = Arc::new(open(place.path()));
    fill(&store, 1).await;
    let acknowledged = Arc::new(AtomicU64::new(1));
    let (writing, seen) = (Arc::clone(&store), Arc::clone(&acknowledged));
    // A thread of its own, so that copies are made while it writes.
    let writer = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        for first in (2..400).step_by(3) {
            let id = mob();
            let append = writing.append(&id, 1, first, batch(first, 3));
            runtime.block_on(append).expect("appended");
            seen.store(first + 2, Ordering::SeqCst);
        }
    });
    let mut copies = 0;
    while !writer.is_finished() || copies < 3 {
        let acknowledged = acknowledged.load(Ordering::SeqCst);
        let copy = copy(place.path());
        check(&open(copy.path()), acknowledged).await;
        copies += 1;
    }
    writer.join().expect("the writer does not panic");
    check(&store, 400).await;
}

#[tokio::test]
async fn a_torn_end_of_the_log_takes_whole_batches_only() {
    let place = place::directory();
    let store = open(place.path());
    fill(&store, 7).await;
    for first in (8..29).step_by(7) {
        store
            .append(&mob(), 1, first, batch(first, 7))
            .await
            .expect("appended");
    }
    let length = fs::metadata(place.path().join("mobkit.db-wal"))
        .expect("a log")
        .len();
    let mut heads = Vec::new();
    for cut in (0..length).step_by(1_500) {
        let copy = copy(place.path());
        let log = copy.path().join("mobkit.db-wal");
        let file = OpenOptions::new().write(true).open(&log).expect("a log");
        file.set_len(length - cut).expect("cut");
        let store = open(copy.path());
        let head = store.bounds(&mob()).await.expect("bounds").head;
        assert_eq!(head % 7, 0, "a part of a batch is there");
        check(&store, 0).await;
        heads.push(head);
    }
    assert!(heads.is_sorted_by(|a, b| a >= b), "{heads:?}");
    assert_eq!((heads[0], heads[heads.len() - 1]), (28, 0));
}

#[tokio::test]
async fn the_log_is_moved_into_the_database_while_it_grows() {
    let place = place::directory();
    let store = open(place.path());
    fill(&store, 1).await;
    // About fifteen megabytes.
    for seq in 2..500 {
        let mut batch = batch(seq, 1);
        batch.events[0].trace = Some("x".repeat(30_000));
        store.append(&mob(), 1, seq, batch).await.expect("appended");
    }
    let log = fs::metadata(place.path().join("mobkit.db-wal"))
        .expect("a log")
        .len();
    assert!(log < 8 * 1024 * 1024, "the log has {log} bytes");
    let found = store.verify(&mob()).await.expect("verified");
    assert_eq!((found.events, found.problems), (499, vec![]));
}
