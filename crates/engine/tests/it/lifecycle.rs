//! Every verb in every phase, through the engine.

use crate::kit::{
    Death, Mob, ada, beside, journal, quiet, same_but_errors, send, send_as, sound, until,
};
use async_trait::async_trait;
use mobkit_domain::command::{Command, RuntimeCommand, Submission, TurnCommand};
use mobkit_domain::definition::MemberSpec;
use mobkit_domain::event::{EventFilter, ResolveHow};
use mobkit_domain::id::{CallId, TurnId};
use mobkit_domain::lifecycle::{Phase, Verb};
use mobkit_domain::refusal::RefusalKind;
use mobkit_engine::{
    ApplyOptions, Discovery, Engine, EventReader, HookError, RediscoverMode, StartError,
};
use serde_json::Value;
use std::sync::Arc;

/// A source that never answers.
struct Blocked;

#[async_trait]
impl Discovery for Blocked {
    async fn discover(&self, _context: Value) -> Result<Vec<MemberSpec>, HookError> {
        std::future::pending().await
    }
}

/// What came of each verb: `None` where it got through to the matter itself.
#[derive(Debug, PartialEq, Eq)]
struct Refused {
    read: Option<RefusalKind>,
    mutate: Option<RefusalKind>,
    decide: Option<RefusalKind>,
    cancel: Option<RefusalKind>,
}

async fn submit(engine: &Engine, command: TurnCommand) -> mobkit_domain::refusal::Refusal {
    let command = Command::Turn(command);
    let submission = Submission {
        command,
        actor: ada(),
        key: None,
        trace: None,
    };
    engine
        .submit(submission)
        .await
        .expect_err("there is nothing of that id")
}

async fn try_all(engine: &Engine) -> Refused {
    let by_phase = |refusal: mobkit_domain::refusal::Refusal| {
        (refusal.code == "runtime.not_running").then_some(refusal.kind)
    };
    let mutate = send_as(engine, "nobody", "say x", None)
        .await
        .expect_err("there is nobody");
    if mutate.code == "runtime.not_running" {
        let applied = engine.apply(&ada(), &ApplyOptions::default()).await;
        assert_eq!(
            applied.expect_err("refused as well").code,
            "runtime.not_running"
        );
        let edges = engine.reconcile_edges(&ada()).await;
        assert_eq!(
            edges.expect_err("refused as well").code,
            "runtime.not_running"
        );
        let again = engine.rediscover(&ada(), RediscoverMode::Reset, true).await;
        assert_eq!(
            again.expect_err("refused as well").code,
            "runtime.not_running"
        );
    }
    let (call, how) = (CallId { reply: 1, index: 1 }, ResolveHow::Run);
    let decide = submit(
        engine,
        TurnCommand::ToolResolve {
            call,
            how,
            result: None,
        },
    )
    .await;
    let cancel = submit(
        engine,
        TurnCommand::Cancel {
            turn: TurnId(1),
            reason: None,
        },
    )
    .await;
    let read = engine.phase().check(Verb::Read).err();
    if read.is_none() {
        let mut reader = EventReader::open(engine, 0, EventFilter::default())
            .await
            .expect("a reader");
        assert!(!reader.ready(1).await.expect("readable").is_empty());
    }
    Refused {
        read: read.and_then(by_phase),
        mutate: by_phase(mutate),
        decide: by_phase(decide),
        cancel: by_phase(cancel),
    }
}

/// Tries every verb and shows that none of them left a trace.
async fn tried(mob: &Mob, engine: &Engine) -> Refused {
    let before = journal(&mob.memory).await;
    let refused = try_all(engine).await;
    assert_eq!(journal(&mob.memory).await, before);
    refused
}

const UNAVAILABLE: Option<RefusalKind> = Some(RefusalKind::Unavailable);

#[tokio::test(start_paused = true)]
async fn while_it_starts_it_reads_decides_and_cancels_and_is_busy_for_all_else() {
    let mut mob = Mob::workers(&["a"]);
    mob.hooks.discovery = Some(Arc::new(Blocked));
    let engine = mob.open().await.expect("opened");
    let start = beside({
        let engine = engine.clone();
        async move { engine.bring_up().await }
    });
    quiet().await;
    assert_eq!(engine.phase().now(), Phase::Starting);
    let busy = Some(RefusalKind::Busy);
    let expected = Refused {
        read: None,
        mutate: busy,
        decide: None,
        cancel: None,
    };
    assert_eq!(tried(&mob, &engine).await, expected);
    let refusal = send_as(&engine, "a", "say x", None)
        .await
        .expect_err("busy");
    assert!(refusal.retry_after_ms.is_some());
    let report = engine.shutdown().await;
    assert_eq!(report.state, Phase::Stopped);
    let started = start.await.expect("ended");
    assert!(matches!(started, Err(StartError::Cancelled)), "{started:?}");
    assert!(engine.tasks().live().is_empty());
    let kinds = crate::kit::kinds(&sound(&mob.memory).await);
    assert_eq!(kinds.last(), Some(&"runtime.stopped"));
    assert!(!kinds.contains(&"runtime.ready"));
}

#[tokio::test(start_paused = true)]
async fn while_it_runs_every_verb_gets_through() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let expected = Refused {
        read: None,
        mutate: None,
        decide: None,
        cancel: None,
    };
    assert_eq!(tried(&mob, &engine).await, expected);
}

#[tokio::test(start_paused = true)]
async fn while_it_drains_it_takes_nothing_in_and_still_decides_and_cancels() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let slow = send(&engine, "a", "after 500 say x").await;
    quiet().await;
    let stop = beside({
        let engine = engine.clone();
        async move { engine.shutdown().await }
    });
    until("it drains", || engine.phase().now() == Phase::Draining).await;
    quiet().await;
    let expected = Refused {
        read: None,
        mutate: UNAVAILABLE,
        decide: None,
        cancel: None,
    };
    assert_eq!(tried(&mob, &engine).await, expected);
    let refusal = send_as(&engine, "a", "say y", None)
        .await
        .expect_err("it drains");
    assert!(refusal.retry_after_ms.is_some());
    let joined = engine.shutdown().await;
    assert_eq!(stop.await.expect("ended"), joined);
    assert_eq!(joined.drain.turns_finished, 1);
    assert_eq!(crate::kit::ends_of(&sound(&mob.memory).await)[&slow], 1);
}

#[tokio::test(start_paused = true)]
async fn once_it_has_stopped_it_gives_its_report_and_nothing_else() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let report = engine.shutdown().await;
    let expected = Refused {
        read: UNAVAILABLE,
        mutate: UNAVAILABLE,
        decide: UNAVAILABLE,
        cancel: UNAVAILABLE,
    };
    assert_eq!(tried(&mob, &engine).await, expected);
    assert_eq!(
        engine.plan().await.expect_err("stopped").code,
        "runtime.not_running"
    );
    assert_eq!(engine.shutdown().await, report);
}

#[tokio::test(start_paused = true)]
async fn once_it_has_failed_it_reads_and_a_shutdown_releases_everything() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    mob.tap.dies(Death::Before(mob.tap.appends().len() + 1));
    send_as(&engine, "a", "say x", None)
        .await
        .expect_err("the disk died");
    assert_eq!(engine.phase().now(), Phase::Failed);
    let before = journal(&mob.memory).await;
    for verb in [Verb::Mutate, Verb::Decide, Verb::Cancel] {
        assert!(engine.phase().check(verb).is_err(), "{verb:?}");
    }
    send_as(&engine, "a", "say x", None)
        .await
        .expect_err("failed");
    assert!(engine.phase().check(Verb::Read).is_ok());
    let report = engine.shutdown().await;
    assert_eq!(report.state, Phase::Failed);
    assert!(engine.tasks().live().is_empty());
    assert!(same_but_errors(&before, &journal(&mob.memory).await));
    assert_eq!(engine.shutdown().await, report);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_was_cancelled_does_not_become_ready_after_all() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.open().await.expect("opened");
    mob.tap.hold(true);
    let stop = beside({
        let engine = engine.clone();
        async move { engine.shutdown().await }
    });
    until("the drain is on its way", || mob.tap.waiting() == 1).await;
    let ready = beside({
        let engine = engine.clone();
        async move {
            engine
                .submit_internal(Command::Runtime(RuntimeCommand::Ready))
                .await
        }
    });
    quiet().await;
    mob.tap.hold(false);
    ready.await.expect("answered").expect_err("it drains");
    stop.await.expect("ended");
    let kinds = crate::kit::kinds(&sound(&mob.memory).await);
    assert!(!kinds.contains(&"runtime.ready"), "{kinds:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_after_the_last_event() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let stop = beside({
        let engine = engine.clone();
        async move { engine.shutdown().await }
    });
    // Errors may be recorded at any time; these come until nobody takes them any longer.
    let raise = || {
        let error = mobkit_domain::event::ErrorEvent::RediscoverFailure {
            error: "x".to_owned(),
        };
        engine.submit_internal(Command::Runtime(RuntimeCommand::Raise(error)))
    };
    let mut recorded = 0;
    while raise().await.is_ok() {
        recorded += 1;
    }
    let report = stop.await.expect("ended");
    let events = sound(&mob.memory).await;
    assert!(recorded > 0);
    assert_eq!(
        events.last().map(|event| event.event.kind()),
        Some("runtime.stopped")
    );
    assert_eq!(
        events.last().map(|event| event.seq),
        Some(report.journal_seq)
    );
}

#[tokio::test(start_paused = true)]
async fn a_start_after_a_shutdown_is_a_cancelled_one() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.open().await.expect("opened");
    let report = engine.shutdown().await;
    let started = engine.bring_up().await;
    assert!(matches!(started, Err(StartError::Cancelled)), "{started:?}");
    assert_eq!(engine.shutdown().await, report);
    assert_eq!(report.state, Phase::Stopped);
}
