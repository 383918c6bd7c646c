//! Cases of snapshots, cursors, blobs, verification, closing and reopening.

use super::fixture::{events, filled, journal, message, mixed, mob};
use crate::store::{Batch, EventQuery, Snapshot, Store, StoreError, Trim, Verification};
use bytes::Bytes;
use mobkit_domain::event::{Envelope, Event, NewEvent};
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::row::{MessageState, Table};
use mobkit_domain::text::BlobRef;
use mobkit_domain::time::Time;
use serde_json::json;
use std::sync::Arc;

fn snapshot(seq: Seq, body: &'static [u8]) -> Snapshot {
    Snapshot {
        seq,
        body: Bytes::from_static(body),
    }
}

pub(super) async fn the_newest_snapshot_counts(store: &dyn Store) {
    let (mob, beside) = (mob("snapshots"), mob("snapshots-beside"));
    filled(store, &mob, 9).await;
    filled(store, &beside, 9).await;
    assert_eq!(store.snapshot(&mob).await.expect("none"), None);
    for (put, newest) in [
        (snapshot(3, b"three"), snapshot(3, b"three")),
        (snapshot(7, b"\0\xff seven"), snapshot(7, b"\0\xff seven")),
        (snapshot(7, b"seven again"), snapshot(7, b"seven again")),
        (snapshot(5, b"late"), snapshot(7, b"seven again")),
        (snapshot(9, b""), snapshot(9, b"")),
    ] {
        store.snapshot_put(&mob, put).await.expect("saved");
        assert_eq!(store.snapshot(&mob).await.expect("read"), Some(newest));
    }
    assert_eq!(store.snapshot(&beside).await.expect("none"), None);
}

pub(super) async fn cursors_are_kept_by_consumer(store: &dyn Store) {
    let (mob, beside) = (mob("cursors"), mob("cursors-beside"));
    filled(store, &mob, 1).await;
    filled(store, &beside, 1).await;
    for (consumer, seq) in [
        ("effects", 3),
        ("console", 9),
        ("effects", 5),
        ("effects", 4),
    ] {
        store.cursor_put(&mob, consumer, seq).await.expect("set");
        assert_eq!(store.cursor(&mob, consumer).await.expect("read"), Some(seq));
    }
    assert_eq!(store.cursor(&mob, "console").await.expect("read"), Some(9));
    assert_eq!(store.cursor(&mob, "nobody").await.expect("read"), None);
    assert_eq!(store.cursor(&beside, "effects").await.expect("read"), None);
}

pub(super) async fn blobs_are_kept_under_their_digest(store: &dyn Store) {
    let content = Bytes::from("abc");
    let put = store.blob_put(content.clone()).await.expect("put");
    let digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(
        put,
        BlobRef {
            blob: digest.to_owned(),
            bytes: 3
        }
    );
    assert_eq!(
        store.blob_put(content.clone()).await.expect("put again"),
        put
    );
    assert_eq!(store.blob(digest).await.expect("read"), Some(content));
    let long = Bytes::from(vec![b'\xff'; 1_000_000]);
    let put = store.blob_put(long.clone()).await.expect("put");
    assert_eq!(store.blob(&put.blob).await.expect("read"), Some(long));
    for missing in [
        &digest.replace("ba78", "ba79"),
        "sha256:",
        "abc",
        "sha256:../lock",
    ] {
        assert_eq!(store.blob(missing).await.expect("none"), None, "{missing}");
    }
}

/// A tool call whose result is a blob.
fn refers_to(blob: &BlobRef, seq: Seq, mob: &MobId) -> Envelope {
    let finished: Event = serde_json::from_value(json!({
        "kind": "tool.finished",
        "data": {
            "call": "call-1-1",
            "turn": "turn-1",
            "member": "ann",
            "tool": "now",
            "args": {},
            "result": blob,
        },
    }))
    .expect("an event");
    NewEvent::of(finished).at(seq, Time(1), mob)
}

pub(super) async fn a_clean_store_verifies(store: &dyn Store) {
    let mob = mob("clean");
    filled(store, &mob, 20).await;
    let blob = store.blob_put(Bytes::from("long text")).await.expect("put");
    let rows = vec![message(21, "ann", MessageState::Queued)];
    let batch = Batch {
        events: vec![refers_to(&blob, 21, &mob)],
        rows,
    };
    store.append(&mob, 1, 21, batch).await.expect("appended");
    store
        .snapshot_put(&mob, snapshot(21, b"state"))
        .await
        .expect("saved");
    let clean = Verification {
        events: 21,
        rows: 1,
        blobs: 1,
        problems: Vec::new(),
    };
    assert_eq!(store.verify(&mob).await.expect("verified"), clean);
    let other = Verification {
        events: 0,
        rows: 0,
        ..clean
    };
    let unknown = super::fixture::mob("unknown");
    assert_eq!(store.verify(&unknown).await.expect("verified"), other);
}

pub(super) async fn a_missing_blob_is_found(store: &dyn Store) {
    let mob = mob("missing");
    store.open(&mob).await.expect("opened");
    let kept = store.blob_put(Bytes::from("kept")).await.expect("put");
    let lost = BlobRef {
        blob: kept.blob.replace("sha256:", "sha256:00"),
        bytes: 4,
    };
    let lost = BlobRef {
        blob: lost.blob[..kept.blob.len()].to_owned(),
        ..lost
    };
    let short = BlobRef { bytes: 5, ..kept };
    let batch = vec![refers_to(&lost, 1, &mob), refers_to(&short, 2, &mob)];
    store
        .append(&mob, 1, 1, events(batch))
        .await
        .expect("appended");
    let problems = store.verify(&mob).await.expect("verified").problems;
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].starts_with("event 1: ") && problems[1].starts_with("event 2: "));
}

pub(super) async fn a_closed_store_refuses(store: &dyn Store) {
    let mob = mob("closed");
    filled(store, &mob, 3).await;
    store.close().await.expect("closed");
    let closed = |error| matches!(error, Some(StoreError::Closed));
    let query = EventQuery {
        limit: 1,
        ..EventQuery::default()
    };
    assert!(closed(store.open(&mob).await.err()));
    assert!(closed(
        store
            .append(&mob, 1, 4, events(mixed(4, 1, &mob)))
            .await
            .err()
    ));
    assert!(closed(store.events(&mob, query).await.err()));
    assert!(closed(store.bounds(&mob).await.err()));
    assert!(closed(store.row(&mob, Table::Turn, 1).await.err()));
    assert!(closed(store.trim(&mob, Trim::default()).await.err()));
    assert!(closed(store.snapshot(&mob).await.err()));
    assert!(closed(store.cursor_put(&mob, "console", 1).await.err()));
    assert!(closed(store.blob_put(Bytes::new()).await.err()));
    assert!(closed(store.verify(&mob).await.err()));
    store.close().await.expect("closing again is harmless");
}

pub(super) async fn what_was_kept_is_there_again(make: impl AsyncFn(&str) -> Arc<dyn Store>) {
    let mob = mob("again");
    let mut blob = None;
    for life in 1..=3 {
        let store = make("again").await;
        let head = (life - 1) * 10;
        let opened = store.open(&mob).await.expect("opened");
        assert_eq!(
            (opened.epoch, opened.head),
            (life, head),
            "every opening raises the epoch"
        );
        assert_eq!(journal(&*store, &mob, 8).await, mixed(1, head, &mob));
        let row = message(7, "ann", MessageState::Queued);
        if life > 1 {
            assert_eq!(
                store.row(&mob, Table::Message, 7).await.expect("a row"),
                Some(row.clone())
            );
            let kept = store
                .snapshot(&mob)
                .await
                .expect("read")
                .expect("a snapshot");
            assert_eq!(kept.seq, head);
            assert_eq!(
                store.cursor(&mob, "console").await.expect("read"),
                Some(head)
            );
        }
        if let Some(BlobRef { blob, .. }) = blob {
            assert_eq!(
                store.blob(&blob).await.expect("read"),
                Some(Bytes::from("kept"))
            );
        }
        let batch = Batch {
            events: mixed(head + 1, 10, &mob),
            rows: vec![row],
        };
        store
            .append(&mob, life, head + 1, batch)
            .await
            .expect("appended");
        store
            .snapshot_put(&mob, snapshot(head + 10, b"state"))
            .await
            .expect("saved");
        store
            .cursor_put(&mob, "console", head + 10)
            .await
            .expect("set");
        blob = Some(store.blob_put(Bytes::from("kept")).await.expect("put"));
        store.close().await.expect("closed");
    }
}
