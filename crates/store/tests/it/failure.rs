//! Writes that fail: what stands beside them, and what comes after.

use crate::place::{self, batch, event, fill, mob, open, outside, read};
use mobkit_domain::id::MobId;
use mobkit_store::{Batch, Store, StoreError};
use std::sync::Arc;
use tokio::task::JoinSet;

#[tokio::test]
async fn an_append_that_the_database_refuses_does_not_harm_those_beside_it() {
    let place = place::directory();
    let store = Arc::new(open(place.path()));
    outside(place.path())
        .execute_batch(
            "CREATE TRIGGER refuse BEFORE INSERT ON events WHEN NEW.subject = 'member/bad' \
             BEGIN SELECT RAISE(ABORT, 'refused'); END",
        )
        .expect("a trigger");
    let mut appends = JoinSet::new();
    for n in 0..40_u64 {
        let id = MobId::parse(&format!("mob-{n}")).expect("a valid id");
        store.open(&id).await.expect("opened");
        let store = Arc::clone(&store);
        appends.spawn(async move {
            let member = if n % 4 == 0 { "bad" } else { "good" };
            let mut event = event(1, member);
            event.mob = id.clone();
            let appended = store
                .append(
                    &id,
                    1,
                    1,
                    Batch {
                        events: vec![event],
                        rows: vec![],
                    },
                )
                .await;
            (n, store.bounds(&id).await.expect("bounds").head, appended)
        });
    }
    while let Some(appended) = appends.join_next().await {
        let (n, head, appended) = appended.expect("no panic");
        assert_eq!(
            (appended.is_ok(), head == 1),
            (n % 4 != 0, n % 4 != 0),
            "{n}: {appended:?}"
        );
    }
    let id = MobId::parse("mob-0").expect("a valid id");
    let mut event = event(1, "good");
    event.mob = id.clone();
    let again = store
        .append(
            &id,
            1,
            1,
            Batch {
                events: vec![event],
                rows: vec![],
            },
        )
        .await;
    again.expect("the next one is taken");
}

#[tokio::test]
async fn after_a_failed_commit_nothing_is_written_any_more() {
    let place = place::directory();
    let store = open(place.path());
    fill(&store, 3).await;
    // A reference that is checked by the commit alone makes that fail.
    outside(place.path())
        .execute_batch(
            "CREATE TABLE there (id INTEGER PRIMARY KEY);
             CREATE TABLE here (id REFERENCES there DEFERRABLE INITIALLY DEFERRED);
             CREATE TRIGGER fail AFTER INSERT ON events BEGIN INSERT INTO here VALUES (9); END",
        )
        .expect("a trigger");
    let failed = store.append(&mob(), 1, 4, batch(4, 1)).await;
    assert!(
        matches!(failed, Err(StoreError::Backend { .. })),
        "{failed:?}"
    );
    outside(place.path())
        .execute_batch("DROP TRIGGER fail")
        .expect("mended");
    let refused = store.append(&mob(), 1, 4, batch(4, 1)).await;
    assert!(
        matches!(
            refused,
            Err(StoreError::Backend {
                action: "writing",
                ..
            })
        ),
        "{refused:?}"
    );
    assert!(store.open(&mob()).await.is_err());
    assert!(store.cursor_put(&mob(), "console", 1).await.is_err());
    assert_eq!(read(&store, 0).await.expect("reading goes on"), [1, 2, 3]);
    store.close().await.expect("closed");
    let store = open(place.path());
    let opened = store.open(&mob()).await.expect("opened anew");
    assert_eq!((opened.epoch, opened.head), (2, 3));
    store
        .append(&mob(), 2, 4, batch(4, 1))
        .await
        .expect("appended");
}
