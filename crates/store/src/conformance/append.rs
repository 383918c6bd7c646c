//! Cases of taking over and appending.

use super::fixture::{about_mob, events, filled, follows_not, journal, message, mixed, mob, turn};
use crate::store::{Batch, Bounds, Opened, Store, StoreError};
use mobkit_domain::id::MobId;
use mobkit_domain::row::{MessageState, Table, TurnStatus};
use std::sync::Arc;
use tokio::task::JoinSet;

pub(super) async fn events_are_dense_and_in_order(store: &dyn Store) {
    let mob = mob("dense");
    let opened = store.open(&mob).await.expect("opened");
    assert_eq!(opened, Opened { epoch: 1, head: 0 }, "a mob begins empty");
    assert_eq!(
        store.bounds(&mob).await.expect("bounds"),
        Bounds { oldest: 1, head: 0 }
    );
    let mut next = 1;
    for count in [1, 3, 0, 300, 1] {
        let batch = events(mixed(next, count, &mob));
        store.append(&mob, 1, next, batch).await.expect("appended");
        next += count;
        let head = next - 1;
        assert_eq!(
            store.bounds(&mob).await.expect("bounds"),
            Bounds { oldest: 1, head }
        );
    }
    assert_eq!(
        journal(store, &mob, 1_000).await,
        mixed(1, 305, &mob),
        "read as written"
    );
}

pub(super) async fn a_batch_that_does_not_follow_changes_nothing(store: &dyn Store) {
    let mob = mob("follow");
    filled(store, &mob, 5).await;
    for first in [0, 1, 5, 7, 1 << 50] {
        let rows = vec![message(5, "ann", MessageState::Queued)];
        let batch = Batch {
            events: mixed(first, 2, &mob),
            rows,
        };
        let refused = store.append(&mob, 1, first, batch).await;
        assert!(follows_not(&refused, 6), "{first}: {refused:?}");
    }
    let gap = events(vec![about_mob(6, &mob), about_mob(8, &mob)]);
    let refused = store.append(&mob, 1, 6, gap).await;
    assert!(
        follows_not(&refused, 7),
        "a gap inside a batch: {refused:?}"
    );
    let beside = events(vec![about_mob(7, &mob)]);
    let refused = store.append(&mob, 1, 6, beside).await;
    assert!(
        follows_not(&refused, 6),
        "a batch that starts elsewhere: {refused:?}"
    );
    let foreign = events(vec![about_mob(6, &super::fixture::mob("other"))]);
    assert!(
        store.append(&mob, 1, 6, foreign).await.is_err(),
        "an event of another mob"
    );
    assert_eq!(store.bounds(&mob).await.expect("bounds").head, 5);
    assert_eq!(
        store.row(&mob, Table::Message, 5).await.expect("no row"),
        None
    );
    store
        .append(&mob, 1, 6, events(mixed(6, 1, &mob)))
        .await
        .expect("the right one is taken");
}

pub(super) async fn a_writer_of_an_earlier_epoch_is_refused(store: &dyn Store) {
    let mob = mob("epoch");
    let unopened = store.append(&mob, 1, 1, events(mixed(1, 1, &mob))).await;
    assert!(matches!(
        unopened,
        Err(StoreError::EpochStale {
            held: 1,
            current: 0
        })
    ));
    filled(store, &mob, 2).await;
    let opened = store.open(&mob).await.expect("taken over");
    assert_eq!(opened, Opened { epoch: 2, head: 2 });
    let stale = store.append(&mob, 1, 3, events(mixed(3, 1, &mob))).await;
    assert!(
        matches!(
            stale,
            Err(StoreError::EpochStale {
                held: 1,
                current: 2
            })
        ),
        "{stale:?}"
    );
    let ahead = store.append(&mob, 3, 3, events(mixed(3, 1, &mob))).await;
    assert!(
        matches!(
            ahead,
            Err(StoreError::EpochStale {
                held: 3,
                current: 2
            })
        ),
        "{ahead:?}"
    );
    store
        .append(&mob, 2, 3, events(mixed(3, 1, &mob)))
        .await
        .expect("the holder goes on");
    assert_eq!(journal(store, &mob, 10).await, mixed(1, 3, &mob));
}

pub(super) async fn rows_come_with_their_events(store: &dyn Store) {
    let mob = mob("rows");
    filled(store, &mob, 1).await;
    let queued = message(2, "ann", MessageState::Queued);
    let delivered = message(2, "ann", MessageState::Delivered);
    let turn = turn(2, "ann", TurnStatus::Running);
    let rows = vec![queued, turn.clone(), delivered.clone()];
    let batch = Batch {
        events: mixed(2, 3, &mob),
        rows,
    };
    store.append(&mob, 1, 2, batch).await.expect("appended");
    let found = store.row(&mob, Table::Message, 2).await.expect("a row");
    assert_eq!(
        found,
        Some(delivered.clone()),
        "the last row of a number wins"
    );
    assert_eq!(
        store.row(&mob, Table::Turn, 2).await.expect("a row"),
        Some(turn)
    );
    assert_eq!(store.row(&mob, Table::Turn, 3).await.expect("no row"), None);
    let refused = Batch {
        events: mixed(2, 1, &mob),
        rows: vec![message(2, "ann", MessageState::Cancelled)],
    };
    assert!(follows_not(&store.append(&mob, 1, 2, refused).await, 5));
    let found = store.row(&mob, Table::Message, 2).await.expect("a row");
    assert_eq!(found, Some(delivered), "a refused batch leaves no row");
    let rows = vec![message(4, "bob", MessageState::Queued)];
    let only_rows = Batch {
        events: Vec::new(),
        rows,
    };
    store
        .append(&mob, 1, 5, only_rows)
        .await
        .expect("rows without an event");
    assert!(
        store
            .row(&mob, Table::Message, 4)
            .await
            .expect("a row")
            .is_some()
    );
}

/// Appends `count` batches of three, one after the other.
async fn write(store: Arc<dyn Store>, mob: MobId, count: u64) {
    let opened = store.open(&mob).await.expect("opened");
    for first in (0..count).map(|batch| opened.head + 1 + batch * 3) {
        let batch = events(mixed(first, 3, &mob));
        store
            .append(&mob, opened.epoch, first, batch)
            .await
            .expect("appended");
    }
}

pub(super) async fn many_writers_of_several_mobs_do_not_disturb_each_other(store: Arc<dyn Store>) {
    let mobs: Vec<MobId> = (0..8).map(|n| mob(&format!("mob-{n}"))).collect();
    let mut writers = JoinSet::new();
    for mob in &mobs {
        writers.spawn(write(Arc::clone(&store), mob.clone(), 40));
    }
    while let Some(written) = writers.join_next().await {
        written.expect("no writer fails");
    }
    for mob in &mobs {
        assert_eq!(journal(&*store, mob, 50).await, mixed(1, 120, mob), "{mob}");
    }
}

pub(super) async fn a_refused_append_does_not_harm_those_beside_it(store: Arc<dyn Store>) {
    let names: Vec<MobId> = (0..6).map(|n| mob(&format!("mob-{n}"))).collect();
    for mob in &names {
        store.open(mob).await.expect("opened");
    }
    let mut appends = JoinSet::new();
    for (n, mob) in (0..).zip(&names) {
        let (store, mob) = (Arc::clone(&store), mob.clone());
        // Every third is stale, every third does not follow.
        let (epoch, first) = match n % 3 {
            0 => (1, 1),
            1 => (7, 1),
            _ => (1, 9),
        };
        appends.spawn(async move {
            let appended = store
                .append(&mob, epoch, first, events(mixed(first, 2, &mob)))
                .await;
            (n, appended)
        });
    }
    while let Some(appended) = appends.join_next().await {
        let (n, appended) = appended.expect("no panic");
        match n % 3 {
            0 => assert!(appended.is_ok(), "{appended:?}"),
            1 => assert!(matches!(appended, Err(StoreError::EpochStale { .. }))),
            _ => assert!(follows_not(&appended, 1), "{appended:?}"),
        }
    }
    for (n, mob) in (0..).zip(&names) {
        let expected = if n % 3 == 0 {
            mixed(1, 2, mob)
        } else {
            Vec::new()
        };
        assert_eq!(journal(&*store, mob, 10).await, expected, "{mob}");
    }
}
