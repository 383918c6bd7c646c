//! The same over a state directory.

use crate::kit::{Death, Mob, Source, Tap, ends_of, send, send_as, settle, sound, text_of};
use mobkit_engine::{Engine, EngineConfig, StartError};
use mobkit_store::{Durability, SqliteStore, Store, StoreError};
use std::path::Path;
use std::sync::Arc;

fn disk(place: &Path) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(place, Durability::Process).expect("the directory is free"))
}

/// Time is real here, and a disk may be slow; nothing waits for the end of it.
fn patient(mob: Mob) -> Mob {
    Mob {
        drain_timeout_ms: 60_000,
        ..mob
    }
}

async fn open(mob: &Mob, store: Arc<dyn Store>) -> Result<Engine, StartError> {
    Engine::open(EngineConfig {
        store,
        ..mob.config()
    })
    .await
}

async fn up(mob: &Mob, store: Arc<dyn Store>) -> Engine {
    let engine = open(mob, store).await.expect("opened");
    engine.bring_up().await.expect("brought up");
    engine
}

#[tokio::test]
async fn a_mob_goes_on_after_a_stop_and_after_a_crash() {
    let place = tempfile::tempdir().expect("a directory");
    let mob = patient(Mob::workers(&["a", "b"]));
    let engine = up(&mob, disk(place.path())).await;
    let first = send(&engine, "a", "look; ask b say yes; say one").await;
    assert_eq!(text_of(&settle(&engine, first).await), "one");
    let report = engine.shutdown().await;
    assert!(report.is_orderly(), "{report:?}");

    let tap = Arc::new(Tap::over(disk(place.path())));
    let engine = up(&mob, Arc::clone(&tap) as _).await;
    tap.dies(Death::After(tap.appends().len() + 2));
    send_as(&engine, "a", "put; say two", Some("k")).await.ok();
    while !tap.is_dead() {
        tokio::task::yield_now().await;
    }
    engine.shutdown().await;

    let store = disk(place.path());
    let engine = up(&mob, Arc::clone(&store)).await;
    let second = send_as(&engine, "a", "put; say two", Some("k"))
        .await
        .expect("accepted");
    assert_eq!(text_of(&settle(&engine, second).await), "two");
    let events = sound(store.as_ref()).await;
    assert!(ends_of(&events).values().all(|ends| *ends == 1));
    assert_eq!(ends_of(&events).len(), 3);
    assert!(engine.shutdown().await.is_orderly());
}

#[tokio::test]
async fn a_start_that_fails_leaves_the_directory_to_the_next() {
    let place = tempfile::tempdir().expect("a directory");
    let mut mob = patient(Mob::empty());
    let source = Arc::new(Source::of(&["a", "b"]));
    mob.hooks.discovery = Some(Arc::clone(&source) as _);
    up(&mob, disk(place.path())).await.shutdown().await;
    source.fails();
    let store = disk(place.path());
    let engine = open(&mob, Arc::clone(&store)).await.expect("opened");
    engine.bring_up().await.expect_err("the source is down");
    assert!(engine.tasks().live().is_empty());
    assert!(matches!(
        store.bounds(engine.mob()).await,
        Err(StoreError::Closed)
    ));
    // The store is still referred to, and yet the directory is free.
    source.says(&["a", "b"]);
    let engine = up(&mob, disk(place.path())).await;
    let message = send(&engine, "a", "say x").await;
    assert_eq!(text_of(&settle(&engine, message).await), "x");
    assert!(engine.shutdown().await.is_orderly());
}

#[tokio::test]
async fn a_journal_that_cannot_be_read_leaves_the_directory_free() {
    let place = tempfile::tempdir().expect("a directory");
    let mob = patient(Mob::workers(&["a"]));
    up(&mob, disk(place.path())).await.shutdown().await;
    let tap = Arc::new(Tap::over(disk(place.path())));
    tap.kill();
    let failed = open(&mob, Arc::clone(&tap) as _).await.err();
    assert!(
        matches!(failed, Some(StartError::Store(StoreError::Backend { .. }))),
        "{failed:?}"
    );
    up(&mob, disk(place.path())).await.shutdown().await;
    assert!(tap.is_dead(), "the store that failed is still referred to");
}

#[tokio::test]
async fn two_engines_never_have_one_directory() {
    let place = tempfile::tempdir().expect("a directory");
    let mob = patient(Mob::workers(&["a"]));
    let engine = up(&mob, disk(place.path())).await;
    let second = SqliteStore::open(place.path(), Durability::Process).err();
    assert!(
        matches!(second, Some(StoreError::Locked { .. })),
        "{second:?}"
    );
    engine.shutdown().await;
}
