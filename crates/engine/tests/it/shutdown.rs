//! Stopping under load, with everything open that can be open.

use crate::kit::{
    Death, Mob, beside, ends_of, journal, kinds, quiet, send, settle, sound, text_of, until,
};
use futures::future::join_all;
use mobkit_domain::event::{DrainReport, Event, EventFilter};
use mobkit_domain::id::Seq;
use mobkit_domain::lifecycle::Phase;
use mobkit_domain::row::TurnStatus;
use mobkit_engine::{Engine, EventReader};
use std::sync::Arc;

/// Reads until the stream ends; returns the positions and the last kind.
async fn follow(engine: Engine) -> (Vec<Seq>, &'static str) {
    let mut reader = EventReader::open(&engine, 0, EventFilter::default())
        .await
        .expect("a reader");
    let (mut seen, mut last) = (Vec::new(), "");
    while let Some(events) = reader.next(7).await.expect("readable") {
        for event in events {
            seen.push(event.envelope.seq);
            last = event.envelope.event.kind();
        }
    }
    (seen, last)
}

/// The figures as the journal has them.
fn counted(events: &[mobkit_domain::event::Envelope]) -> DrainReport {
    let from = events
        .iter()
        .rposition(|event| matches!(event.event, Event::RuntimeDraining(_)))
        .expect("it drained");
    let count = |wanted: &[&str]| {
        events[from..]
            .iter()
            .filter(|e| wanted.contains(&e.event.kind()))
            .count() as u64
    };
    DrainReport {
        turns_finished: count(&["turn.completed", "turn.failed"]),
        turns_checkpointed: count(&["turn.checkpointed"]),
        turns_cancelled: count(&["turn.cancelled"]),
        deliveries_left: 0,
        // From the first event of the drain up to the one before the last of the process.
        events_flushed: (events.len() - from - 2) as u64,
        ..DrainReport::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_under_load_keeps_its_deadline_and_says_what_the_journal_says() {
    let names: Vec<String> = (0..20).map(|n| format!("m{n}")).collect();
    let mob = Mob::workers(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let engine = mob.up().await;
    *mob.runner.stop_takes_ms.lock().expect("not poisoned") = 50;
    let streams: Vec<_> = (0..5).map(|_| beside(follow(engine.clone()))).collect();
    let mut asked = Vec::new();
    for (n, name) in names.iter().enumerate() {
        let text = match n % 4 {
            0 => "never".to_owned(),
            1 => "after 300 look; after 300 say in time".to_owned(),
            2 => r#"pay {"never": true}"#.to_owned(),
            _ => "fail rejected".to_owned(),
        };
        asked.push(send(&engine, name, &text).await);
        asked.push(send(&engine, name, "say later").await);
    }
    quiet().await;
    let waiting: Vec<_> = asked
        .iter()
        .map(|message| {
            let (engine, message) = (engine.clone(), *message);
            beside(async move { engine.outcome(message).await })
        })
        .collect();
    let began = engine.now();
    let (report, same) = tokio::join!(engine.shutdown(), engine.shutdown());
    assert_eq!(report, same);
    assert!(engine.now().since_ms(began) <= mob.drain_timeout_ms);
    assert!(
        engine.tasks().live().is_empty(),
        "{:?}",
        engine.tasks().live()
    );
    assert!(report.is_orderly(), "{report:?}");
    assert!(report.drain.timed_out);
    let events = sound(&mob.memory).await;
    let expected = DrainReport {
        timed_out: true,
        took_ms: report.drain.took_ms,
        ..counted(&events)
    };
    assert_eq!(report.drain, expected);
    assert_eq!(report.drain.turns_finished, 5);
    assert_eq!(report.drain.turns_checkpointed, 10);
    assert_eq!(report.journal_seq, events.last().expect("events").seq);
    match &events.last().expect("events").event {
        Event::RuntimeStopped(e) => assert_eq!(e.drain, report.drain),
        other => panic!("the last event is {other:?}"),
    }
    for stream in streams {
        let (seen, last) = stream.await.expect("ended");
        assert_eq!(seen, (1..=report.journal_seq).collect::<Vec<_>>());
        assert_eq!(last, "runtime.stopped");
    }
    for outcome in join_all(waiting).await {
        if let Err(refusal) = outcome.expect("ended") {
            assert_eq!(refusal.code, "runtime.stopping");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_start_goes_on_with_what_was_put_aside() {
    let mut mob = Mob::workers(&["a", "b"]);
    let engine = mob.up().await;
    let long = send(&engine, "a", "look; after 5000 say made it").await;
    let queued = send(&engine, "a", "say second").await;
    let asks = send(&engine, "b", "ask a say third; say answered").await;
    quiet().await;
    let report = engine.shutdown().await;
    assert_eq!(
        (report.drain.turns_finished, report.drain.turns_checkpointed),
        (0, 2)
    );
    assert!(report.is_orderly());
    mob.again();
    let engine = mob.up().await;
    assert_eq!(text_of(&settle(&engine, long).await), "made it");
    assert_eq!(text_of(&settle(&engine, queued).await), "second");
    assert_eq!(text_of(&settle(&engine, asks).await), "answered");
    assert_eq!(mob.runner.calls("look").len(), 1);
    let events = sound(&mob.memory).await;
    assert!(ends_of(&events).values().all(|ends| *ends == 1));
    let blamed = events.iter().any(|event| match &event.event {
        Event::TurnResumed(e) => e.recoveries > 0,
        _ => false,
    });
    assert!(!blamed, "a stop in order is no crash");
}

#[tokio::test(start_paused = true)]
async fn an_idle_mob_stops_at_once() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let began = engine.now();
    let report = engine.shutdown().await;
    assert_eq!(
        (engine.now(), report.drain.timed_out, report.drain.took_ms),
        (began, false, 0)
    );
    assert!(report.is_orderly());
    assert_eq!(report.state, Phase::Stopped);
    assert_eq!(report.engines.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_waits_for_somebody_is_put_aside_without_waiting() {
    let mob = Mob::workers(&["a", "b"]);
    let engine = mob.up().await;
    let busy = send(&engine, "b", "after 100 say x").await;
    let asks = send(&engine, "a", "ask b say y; say z").await;
    quiet().await;
    let began = engine.now();
    let report = engine.shutdown().await;
    assert_eq!(
        engine.now().since_ms(began),
        100,
        "as long as the turn that works"
    );
    assert!(!report.drain.timed_out);
    let events = sound(&mob.memory).await;
    assert_eq!((ends_of(&events)[&busy], ends_of(&events)[&asks]), (1, 0));
    assert_eq!(report.drain.turns_checkpointed, 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_waiting_for_a_shutdown_does_not_stop_it() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    send(&engine, "a", "after 500 say x").await;
    quiet().await;
    let hasty = tokio::time::timeout(std::time::Duration::from_millis(10), engine.shutdown());
    hasty.await.expect_err("it takes longer");
    let report = engine.shutdown().await;
    assert_eq!(report.drain.turns_finished, 1);
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_does_not_stop_is_left_and_named() {
    let mob = Mob::workers(&["a"]);
    *mob.runner.stop_takes_ms.lock().expect("not poisoned") = 1_000_000;
    let engine = mob.up().await;
    let began = engine.now();
    let report = engine.shutdown().await;
    assert!(engine.now().since_ms(began) < 5_000);
    assert!(!report.is_orderly());
    assert_eq!(report.state, Phase::Stopped);
    assert_eq!(
        kinds(&journal(&mob.memory).await).last(),
        Some(&"runtime.stopped")
    );
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_hangs_does_not_hold_the_process() {
    let mut mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    mob.tap.hold(true);
    let began = engine.now();
    let report = engine.shutdown().await;
    assert!(engine.now().since_ms(began) < 15_000);
    assert_eq!(report.state, Phase::Failed);
    assert!(!report.is_orderly());
    assert_eq!(report.tasks_dropped, ["writer"]);
    assert!(engine.tasks().live().is_empty());
    mob.again();
    mob.up().await;
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_fails_during_the_drain_ends_it_at_once() {
    let mob = Mob::workers(&["a", "b"]);
    let engine = mob.up().await;
    send(&engine, "a", "never").await;
    send(&engine, "b", "after 100 say x").await;
    quiet().await;
    let began = engine.now();
    let stop = beside({
        let engine = engine.clone();
        async move { engine.shutdown().await }
    });
    until("it drains", || engine.phase().now() == Phase::Draining).await;
    quiet().await;
    mob.tap.dies(Death::Before(mob.tap.appends().len() + 1));
    let report = stop.await.expect("ended");
    assert_eq!(engine.now().since_ms(began), 100);
    assert_eq!(
        (report.state, report.drain.timed_out),
        (Phase::Failed, false)
    );
}

#[tokio::test(start_paused = true)]
async fn cancelled_turns_count_as_cancelled() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let message = send(&engine, "a", "never").await;
    quiet().await;
    let turn = engine.view(|w| *w.state.turns.keys().next().expect("a turn"));
    let stop = beside({
        let engine = engine.clone();
        async move { engine.shutdown().await }
    });
    until("it drains", || engine.phase().now() == Phase::Draining).await;
    quiet().await;
    let command =
        mobkit_domain::command::Command::Turn(mobkit_domain::command::TurnCommand::Cancel {
            turn,
            reason: None,
        });
    let actor = crate::kit::ada();
    let submission = mobkit_domain::command::Submission {
        command,
        actor,
        key: None,
        trace: None,
    };
    engine.submit(submission).await.expect("cancelled");
    let report = stop.await.expect("ended");
    assert_eq!(
        (report.drain.turns_cancelled, report.drain.turns_finished),
        (1, 0)
    );
    assert!(!report.drain.timed_out);
    let events = sound(&mob.memory).await;
    assert_eq!(ends_of(&events)[&message], 1);
    let cancelled = events
        .iter()
        .any(|event| matches!(&event.event, Event::TurnCancelled(_)));
    assert!(cancelled && TurnStatus::Cancelled.is_ended());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_end_is_dropped_and_named() {
    use mobkit_engine::{OnError, OnStop, TaskKind};
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let kind = TaskKind {
        name: "deaf",
        on_stop: OnStop::Finish,
        on_error: OnError::Report,
    };
    let held = Arc::new(());
    let inside = Arc::clone(&held);
    engine.tasks().spawn(kind, async move {
        std::future::pending::<()>().await;
        drop(inside);
    });
    let report = engine.shutdown().await;
    assert_eq!(report.tasks_dropped, ["deaf"]);
    assert!(!report.is_orderly());
    assert_eq!(Arc::strong_count(&held), 1);
}
