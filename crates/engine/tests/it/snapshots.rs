//! Snapshots: a start from one is a start from the beginning.

use crate::kit::{Mob, Source, journal, send, settle, sound};
use bytes::Bytes;
use mobkit_domain::command::{Command, RuntimeCommand};
use mobkit_domain::event::ErrorEvent;
use mobkit_domain::state::State;
use mobkit_engine::Engine;
use mobkit_store::{Snapshot, Store};
use std::sync::Arc;

/// A mob with something of everything open, stopped in order.
async fn used() -> Mob {
    let mut mob = Mob::workers(&["a", "b", "c"]);
    let source = Arc::new(Source::of(&["d"]));
    mob.hooks.discovery = Some(Arc::clone(&source) as _);
    let engine = mob.up().await;
    for text in ["look; say x", "flaky 1 say y", "ask b say z; say w"] {
        let message = send(&engine, "a", text).await;
        settle(&engine, message).await;
    }
    send(&engine, "b", "never").await;
    send(&engine, "b", "say later").await;
    send(&engine, "c", r#"pay {"never": true}"#).await;
    crate::kit::quiet().await;
    engine.shutdown().await;
    mob.again();
    mob
}

/// The journal, folded from its beginning.
async fn folded(mob: &Mob) -> State {
    let mut state = State::of(mob.definition.id.clone());
    for envelope in journal(&mob.memory).await {
        state.apply(&envelope);
    }
    state
}

async fn saved(mob: &Mob) -> Snapshot {
    mob.memory
        .snapshot(&mob.definition.id)
        .await
        .expect("readable")
        .expect("a snapshot")
}

fn state(engine: &Engine) -> State {
    engine.view(|world| world.state.clone())
}

#[tokio::test(start_paused = true)]
async fn a_stop_leaves_a_snapshot_of_everything() {
    let mob = used().await;
    let snapshot = saved(&mob).await;
    let state: State = serde_json::from_slice(&snapshot.body).expect("a state");
    assert_eq!(state, folded(&mob).await);
    assert_eq!(snapshot.seq, journal(&mob.memory).await.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn a_start_from_a_snapshot_and_the_events_after_it_is_a_start_from_the_beginning() {
    let mut mob = used().await;
    // Without a stop in order, so that there are events after the snapshot.
    let engine = mob.up().await;
    send(&engine, "a", "never").await;
    crate::kit::quiet().await;
    mob.tap
        .dies(crate::kit::Death::Before(mob.tap.appends().len() + 1));
    engine.shutdown().await;
    mob.again();
    assert!(saved(&mob).await.seq < journal(&mob.memory).await.len() as u64);
    let engine = mob.open().await.expect("opened");
    assert_eq!(state(&engine), folded(&mob).await);
    engine.bring_up().await.expect("brought up");
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_not_what_it_says_costs_nothing_but_time() {
    let whole = used().await;
    let good = saved(&whole).await;
    let other: State = State::of("other".parse().expect("an id"));
    let bodies = [
        Bytes::from_static(b""),
        Bytes::from_static(b"{}"),
        good.body.slice(..good.body.len() / 2),
        Bytes::from(serde_json::to_vec(&other).expect("json")),
    ];
    for (n, body) in bodies.into_iter().enumerate() {
        let mob = used().await;
        let snapshot = Snapshot {
            seq: good.seq,
            body,
        };
        mob.memory
            .snapshot_put(&mob.definition.id, snapshot)
            .await
            .expect("put");
        let engine = mob.open().await.expect("opened");
        assert_eq!(state(&engine), folded(&mob).await, "body {n}");
    }
    // Nor does one from a future that this journal never had.
    let mob = used().await;
    let ahead = Snapshot {
        seq: good.seq + 100,
        body: good.body,
    };
    mob.memory
        .snapshot_put(&mob.definition.id, ahead)
        .await
        .expect("put");
    let engine = mob.open().await.expect("opened");
    assert_eq!(state(&engine), folded(&mob).await);
}

#[tokio::test(start_paused = true)]
async fn snapshots_are_taken_on_the_way_also_by_processes_that_never_live_long() {
    let mut mob = Mob::workers(&["a"]);
    for _ in 0..3 {
        let engine = mob.up().await;
        for _ in 0..8 {
            let raises = (0..500).map(|_| {
                let error = ErrorEvent::RediscoverFailure {
                    error: "x".to_owned(),
                };
                engine.submit_internal(Command::Runtime(RuntimeCommand::Raise(error)))
            });
            futures::future::join_all(raises).await;
        }
        crate::kit::until("no snapshot is being taken", || {
            !engine.tasks().live().contains_key("snapshot")
        })
        .await;
        mob.tap
            .dies(crate::kit::Death::Before(mob.tap.appends().len() + 1));
        engine.shutdown().await;
        mob.again();
    }
    let snapshot = saved(&mob).await;
    assert!(snapshot.seq > 8_000, "the last one is at {}", snapshot.seq);
    let engine = mob.open().await.expect("opened");
    assert_eq!(state(&engine), folded(&mob).await);
}

#[tokio::test(start_paused = true)]
async fn a_start_takes_nothing_out_of_the_journal() {
    let mob = used().await;
    let before = journal(&mob.memory).await;
    let engine = mob.up().await;
    assert!(journal(&mob.memory).await.starts_with(&before));
    assert_eq!(
        mob.memory
            .bounds(engine.mob())
            .await
            .expect("readable")
            .oldest,
        1
    );
}
