//! Damage is found and named, never skipped.

use crate::place::{self, event, fill, mob, open, outside, read};
use mobkit_domain::event::EventFilter;
use mobkit_domain::id::{MemberId, MessageId};
use mobkit_domain::principal::Principal;
use mobkit_domain::row::{MessageRow, MessageState, Row, Table};
use mobkit_domain::time::Time;
use mobkit_store::{Batch, EventQuery, RowQuery, Snapshot, SqliteStore, Store, StoreError};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn row() -> Row {
    Row::Message(MessageRow {
        message: MessageId(5),
        from: Principal::Runtime,
        to: MemberId::parse("editor").expect("a valid id"),
        state: MessageState::Queued,
        accepted: Time(0),
        turn: None,
        correlation: None,
        reason: None,
    })
}

/// A state directory with ten events, a row, two snapshots and a blob, damaged by `sql`.
async fn damaged(sql: &str) -> (TempDir, SqliteStore) {
    let place = place::directory();
    let store = open(place.path());
    fill(&store, 9).await;
    let batch = Batch {
        events: vec![event(10, "desk")],
        rows: vec![row()],
    };
    store.append(&mob(), 1, 10, batch).await.expect("appended");
    for (seq, body) in [(4, "four"), (8, "eight")] {
        store
            .snapshot_put(
                &mob(),
                Snapshot {
                    seq,
                    body: body.into(),
                },
            )
            .await
            .expect("saved");
    }
    store.blob_put("content".into()).await.expect("put");
    store.close().await.expect("closed");
    assert_ne!(outside(place.path()).execute(sql, []).expect("damaged"), 0);
    let store = open(place.path());
    (place, store)
}

async fn check_found(store: &SqliteStore, problem: &str) {
    let found = store.verify(&mob()).await.expect("verified");
    assert!(
        found.problems.iter().any(|p| p.contains(problem)),
        "{:?}",
        found.problems
    );
}

#[tokio::test]
async fn a_damaged_event_is_an_error_to_its_reader_and_found_by_verify() {
    for (sql, problem) in [
        ("UPDATE events SET crc = crc + 1 WHERE seq = 5", "event 5"),
        ("UPDATE events SET body = '{}' WHERE seq = 5", "event 5"),
        (
            "UPDATE events SET body = CAST(x'7bff7d' AS TEXT) WHERE seq = 5",
            "event 5",
        ),
        (
            "UPDATE events SET (body, crc) = (SELECT body, crc FROM events WHERE seq = 4) \
             WHERE seq = 5",
            "event 5",
        ),
        (
            "DELETE FROM events WHERE seq = 5",
            "event 6: it follows no event 5",
        ),
    ] {
        let sql = sql.replace("seq", "(place & 1099511627775)");
        let (_place, store) = damaged(&sql).await;
        let refused = read(&store, 0).await;
        assert!(
            matches!(&refused, Err(StoreError::Damaged { what, .. }) if what == "event 5"),
            "{sql}: {refused:?}"
        );
        assert_eq!(
            read(&store, 5).await.expect("the rest"),
            [6, 7, 8, 9, 10],
            "{sql}"
        );
        check_found(&store, problem).await;
    }
}

#[tokio::test]
async fn a_missing_end_is_found() {
    let (_place, store) = damaged("DELETE FROM events WHERE place % 1099511627776 > 8").await;
    let refused = read(&store, 0).await;
    assert!(
        matches!(refused, Err(StoreError::Damaged { .. })),
        "{refused:?}"
    );
    check_found(&store, "event 9: it is missing").await;
}

#[tokio::test]
async fn a_column_that_disagrees_with_its_event_is_found() {
    for column in ["kind", "subject", "source"] {
        let sql = format!("UPDATE events SET {column} = 'mob' WHERE place % 1099511627776 = 3");
        let (_place, store) = damaged(&sql).await;
        check_found(&store, &format!("event 3: its column {column} is wrong")).await;
    }
    let (_place, store) =
        damaged("UPDATE events SET source = 'human' WHERE place % 1099511627776 = 3").await;
    let filter = EventFilter::parse(Some("member.*"), None, None).expect("a filter");
    let query = EventQuery {
        filter,
        limit: 10,
        ..EventQuery::default()
    };
    let refused = store.events(&mob(), query).await;
    assert!(
        matches!(refused, Err(StoreError::Damaged { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_damaged_row_is_an_error_to_its_reader_and_found_by_verify() {
    let (_place, store) = damaged("UPDATE messages SET body = replace(body, 'q', 'p')").await;
    let refused = store.row(&mob(), Table::Message, 5).await;
    assert!(
        matches!(refused, Err(StoreError::Damaged { .. })),
        "{refused:?}"
    );
    let table = Table::Message;
    let query = RowQuery {
        table,
        owner: None,
        state: None,
        before: 0,
        limit: 9,
    };
    let refused = store.rows(&mob(), query).await;
    assert!(
        matches!(refused, Err(StoreError::Damaged { .. })),
        "{refused:?}"
    );
    check_found(&store, "message 5").await;
    let (_place, store) = damaged("UPDATE messages SET state = 'delivered'").await;
    check_found(&store, "message 5: a column is wrong").await;
}

#[tokio::test]
async fn a_damaged_snapshot_counts_as_none() {
    let (_place, store) = damaged("UPDATE snapshots SET body = x'00' WHERE seq = 8").await;
    let found = store
        .snapshot(&mob())
        .await
        .expect("read")
        .expect("the one before");
    assert_eq!((found.seq, &found.body[..]), (4, &b"four"[..]));
    check_found(&store, "snapshot 8").await;
    let (_place, store) = damaged("UPDATE snapshots SET crc = crc + 1").await;
    assert_eq!(store.snapshot(&mob()).await.expect("read"), None);
}

#[tokio::test]
async fn a_damaged_blob_and_a_file_that_is_none_are_found() {
    let (place, store) = damaged("UPDATE mobs SET epoch = 1").await;
    let blobs = place.path().join("blobs");
    let blob = files(&blobs).pop().expect("a blob");
    fs::write(&blob, "c0ntent").expect("damaged");
    fs::write(blobs.join("stray"), "").expect("a file");
    check_found(&store, "its content does not match its digest").await;
    check_found(&store, "stray is no blob").await;
}

fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[tokio::test]
async fn damaged_pages_are_found() {
    let place = place::directory();
    let store = open(place.path());
    fill(&store, 2_000).await;
    store.close().await.expect("closed");
    let file = place.path().join("mobkit.db");
    let mut bytes = fs::read(&file).expect("the database");
    let middle = bytes.len() / 2 / 4_096 * 4_096;
    bytes[middle..middle + 4_096].fill(0xA5);
    fs::write(&file, bytes).expect("damaged");
    let store = open(place.path());
    let found = store.verify(&mob()).await.expect("verified");
    assert!(!found.problems.is_empty());
}
