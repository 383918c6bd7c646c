//! Hooks of the host: when they run, with what, and what their mistakes do.

use crate::kit::{
    Death, Mob, Source, ada, beside, kinds, member, quiet, send, settle, sound, spec, until,
};
use mobkit_domain::event::{ErrorEvent, Event};
use mobkit_domain::id::MemberId;
use mobkit_domain::lifecycle::Phase;
use mobkit_domain::plan::ApplyReport;
use mobkit_engine::{ApplyOptions, Engine, ErrorHook, HookError, StartError};
use mobkit_store::Store;
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

type Log<T> = Arc<Mutex<Vec<T>>>;
type Change<'c> = Box<dyn Fn(&mut Mob) + 'c>;

fn seen<T: Clone>(log: &Log<T>) -> Vec<T> {
    log.lock().expect("not poisoned").clone()
}

/// An error hook that takes its time for each error.
fn told(log: &Log<ErrorEvent>, takes_ms: u64) -> ErrorHook {
    let log = Arc::clone(log);
    Arc::new(move |error| {
        let log = Arc::clone(&log);
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(takes_ms)).await;
            log.lock().expect("not poisoned").push(error);
        })
    })
}

fn members_of(errors: &[ErrorEvent]) -> Vec<String> {
    let member = |error: &ErrorEvent| match error {
        ErrorEvent::TurnFailed { member, .. } => member.to_string(),
        other => panic!("{other:?}"),
    };
    errors.iter().map(member).collect()
}

#[tokio::test(start_paused = true)]
async fn pre_spawn_runs_once_and_gives_the_context_of_the_first_discovery() {
    let mut mob = Mob::empty();
    let source = Arc::new(Source::of(&["a"]));
    mob.hooks.discovery = Some(Arc::clone(&source) as _);
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&runs);
    mob.hooks.pre_spawn = Some(Arc::new(move || {
        let run = counter.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move { Ok(json!({ "run": run })) })
    }));
    let engine = mob.up().await;
    engine
        .apply(&ada(), &ApplyOptions::default())
        .await
        .expect("applied");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    assert_eq!(source.contexts(), [json!({ "run": 0 }), json!(null)]);
}

#[tokio::test(start_paused = true)]
async fn post_spawn_is_told_of_those_that_came_even_if_others_did_not() {
    let mut mob = Mob::empty();
    let source = Arc::new(Source::of(&["a", "b", "c"]));
    mob.hooks.discovery = Some(Arc::clone(&source) as _);
    let (spawns, reports): (Log<Vec<MemberId>>, Log<ApplyReport>) = Default::default();
    let log = Arc::clone(&spawns);
    mob.hooks.post_spawn = Some(Arc::new(move |ids| {
        log.lock().expect("not poisoned").push(ids);
        Box::pin(async {})
    }));
    let log = Arc::clone(&reports);
    mob.hooks.post_reconcile = Some(Arc::new(move |report| {
        log.lock().expect("not poisoned").push(report);
        Box::pin(async {})
    }));
    let engine = mob.up().await;
    send(&engine, "c", "never").await;
    quiet().await;
    source.says(&["a", "b"]);
    engine
        .apply(&ada(), &ApplyOptions::default())
        .await
        .expect("applied");
    source.says(&["a", "b", "c", "d"]);
    let report = engine
        .apply(&ada(), &ApplyOptions::default())
        .await
        .expect("applied");
    assert_eq!(report.failures.len(), 1);
    let of = |ids: &[&str]| ids.iter().map(|id| member(id)).collect::<Vec<_>>();
    assert_eq!(seen(&spawns), [of(&["a", "b", "c"]), of(&["d"])]);
    assert_eq!(seen(&reports).len(), 3);
    assert_eq!(seen(&reports)[2], report);
}

#[tokio::test(start_paused = true)]
async fn a_hook_may_reconcile_itself() {
    let mut mob = Mob::empty();
    let source = Arc::new(Source::of(&["a"]));
    mob.hooks.discovery = Some(Arc::clone(&source) as _);
    let engine: Arc<OnceLock<Engine>> = Arc::default();
    let (handle, again) = (Arc::clone(&engine), Arc::new(AtomicBool::new(true)));
    mob.hooks.post_reconcile = Some(Arc::new(move |_| {
        let (engine, again) = (handle.get().cloned(), Arc::clone(&again));
        Box::pin(async move {
            if let Some(engine) = engine
                && again.swap(false, Ordering::SeqCst)
            {
                engine
                    .apply(&ada(), &ApplyOptions::default())
                    .await
                    .expect("applied");
                engine.reconcile_edges(&ada()).await.expect("reconciled");
            }
        })
    }));
    let up = mob.up().await;
    engine.set(up.clone()).ok().expect("set once");
    source.says(&["a", "b"]);
    let (actor, options) = (ada(), ApplyOptions::default());
    let applied = tokio::time::timeout(Duration::from_secs(5), up.apply(&actor, &options));
    applied.await.expect("no deadlock").expect("applied");
}

#[tokio::test(start_paused = true)]
async fn errors_are_told_in_the_order_of_the_journal_from_one_task() {
    let mut mob = Mob::workers(&["a", "b", "c"]);
    let log = Log::default();
    mob.hooks.on_error = Some(told(&log, 10));
    let engine = mob.up().await;
    for id in ["c", "a", "b", "a", "c"] {
        let message = send(&engine, id, "fail rejected").await;
        settle(&engine, message).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(members_of(&seen(&log)), ["c", "a", "b", "a", "c"]);
    engine.shutdown().await;
    assert_eq!(seen(&log).len(), 5);
}

#[tokio::test(start_paused = true)]
async fn errors_of_the_last_moment_are_told_before_the_runtime_is_gone() {
    let mut mob = Mob::workers(&["a"]);
    let log = Log::default();
    mob.hooks.on_error = Some(told(&log, 500));
    let engine = mob.up().await;
    send(&engine, "a", "after 100 fail rejected").await;
    quiet().await;
    let report = engine.shutdown().await;
    assert_eq!(members_of(&seen(&log)), ["a"]);
    assert!(report.is_orderly(), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_errors_are_told_only_if_they_were_not() {
    let mut mob = Mob::workers(&["a", "b"]);
    let log = Log::default();
    // The second error is still being told when the process ends.
    mob.hooks.on_error = Some(told(&log, 100));
    let engine = mob.up().await;
    for id in ["a", "b"] {
        let message = send(&engine, id, "fail rejected").await;
        settle(&engine, message).await;
    }
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(members_of(&seen(&log)), ["a"]);
    mob.tap.dies(Death::Before(mob.tap.appends().len() + 1));
    let slow = Log::default();
    mob.hooks.on_error = Some(told(&slow, 0));
    engine.tasks().stop(Duration::ZERO).await;
    mob.again();
    let engine = mob.up().await;
    until("the host was told", || !seen(&slow).is_empty()).await;
    quiet().await;
    assert_eq!(members_of(&seen(&slow)), ["b"]);
    engine.shutdown().await;
    mob.again();
    mob.up().await;
    quiet().await;
    assert_eq!(seen(&slow).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_new_to_an_old_mob_is_not_told_of_its_past() {
    let mut mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let message = send(&engine, "a", "fail rejected").await;
    settle(&engine, message).await;
    engine.shutdown().await;
    mob.again();
    let log = Log::default();
    mob.hooks.on_error = Some(told(&log, 0));
    let engine = mob.up().await;
    quiet().await;
    assert!(seen(&log).is_empty());
    let message = send(&engine, "a", "fail rejected").await;
    settle(&engine, message).await;
    quiet().await;
    assert_eq!(seen(&log).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_takes_nobody_with_it() {
    let mut mob = Mob::workers(&["a"]);
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    mob.hooks.on_error = Some(Arc::new(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        panic!("an error hook that panics on purpose")
    }));
    mob.hooks.post_spawn = Some(Arc::new(|_| panic!("a hook that panics on purpose")));
    mob.hooks.post_reconcile = Some(Arc::new(|_| {
        Box::pin(async { panic!("a hook that panics on purpose") })
    }));
    let engine = mob.up().await;
    for _ in 0..3 {
        let message = send(&engine, "a", "fail rejected").await;
        settle(&engine, message).await;
    }
    quiet().await;
    assert_eq!(count.load(Ordering::SeqCst), 3);
    assert_eq!(engine.phase().now(), Phase::Running);
    assert!(engine.shutdown().await.is_orderly());
}

#[tokio::test(start_paused = true)]
async fn a_start_whose_hooks_fail_is_undone_and_can_be_repeated() {
    let mut mob = Mob::empty();
    let source = Arc::new(Source::of(&["a", "b", "c"]));
    mob.hooks.discovery = Some(Arc::clone(&source) as _);
    mob.hooks.edge_discovery = Some(Arc::clone(&source) as _);
    mob.up().await.shutdown().await;
    let wrong: [(&str, Change<'_>); 6] = [
        (
            "pre-spawn",
            Box::new(|mob| {
                mob.hooks.pre_spawn = Some(Arc::new(|| {
                    Box::pin(async { Err(HookError("no".to_owned())) })
                }));
            }),
        ),
        (
            "pre-spawn panics",
            Box::new(|mob| {
                mob.hooks.pre_spawn = Some(Arc::new(|| panic!("on purpose")));
            }),
        ),
        ("discovery", Box::new(|_| source.fails())),
        (
            "discovery panics",
            Box::new(|_| *source.panics.lock().expect("not poisoned") = true),
        ),
        ("edges", Box::new(|_| source.edges_fail())),
        ("empty", Box::new(|_| source.says(&[]))),
    ];
    for (name, wrong) in wrong {
        mob.again();
        wrong(&mut mob);
        let engine = mob.open().await.expect("opened");
        let failed = engine.bring_up().await.expect_err(name);
        assert!(
            matches!(failed, StartError::Hook(_) | StartError::Refused(_)),
            "{name}: {failed:?}"
        );
        assert!(engine.tasks().live().is_empty(), "{name}");
        assert_eq!(engine.phase().now(), Phase::Stopped, "{name}");
        assert!(
            mob.tap.bounds(engine.mob()).await.is_err(),
            "{name}: the store is closed"
        );
        mob.again();
        mob.hooks.pre_spawn = None;
        *source.panics.lock().expect("not poisoned") = false;
        source.says(&["a", "b", "c"]);
        source.wires(&[]);
        let engine = mob.up().await;
        assert_eq!(
            engine.view(|world| world.state.present().count()),
            3,
            "{name}"
        );
        engine.shutdown().await;
    }
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_undone_does_not_wait_for_turns_that_it_never_began() {
    let mut mob = Mob::empty();
    let source = Arc::new(Source::of(&["a"]));
    mob.hooks.discovery = Some(Arc::clone(&source) as _);
    let engine = mob.up().await;
    let message = send(&engine, "a", "after 200 say x").await;
    quiet().await;
    mob.tap.dies(Death::Before(mob.tap.appends().len() + 1));
    engine.shutdown().await;
    mob.again();
    source.fails();
    let began = mob.clock.now();
    mob.start().await.err().expect("the source is down");
    assert_eq!(mob.clock.now(), began);
    let events = sound(&mob.memory).await;
    let resumed = events
        .iter()
        .filter(|e| matches!(e.event, Event::TurnResumed(_)))
        .count();
    assert_eq!(resumed, 1);
    assert_eq!(kinds(&events).last(), Some(&"runtime.stopped"));
    mob.again();
    source.says_specs(vec![spec("a", "worker")]);
    let engine = mob.up().await;
    assert_eq!(crate::kit::text_of(&settle(&engine, message).await), "x");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_during_the_start_cancels_it_at_any_point() {
    for steps in 0..40 {
        let mut mob = Mob::empty();
        let source = Arc::new(Source::of(&["a", "b"]));
        mob.hooks.discovery = Some(Arc::clone(&source) as _);
        mob.hooks.edge_discovery = Some(source);
        let engine = mob.open().await.expect("opened");
        let start = beside({
            let engine = engine.clone();
            async move { engine.bring_up().await }
        });
        for _ in 0..steps {
            tokio::task::yield_now().await;
        }
        let report = engine.shutdown().await;
        let started = start.await.expect("ended");
        assert_eq!(
            report.state,
            Phase::Stopped,
            "after {steps} steps: {started:?}"
        );
        assert!(engine.tasks().live().is_empty(), "after {steps} steps");
        let events = sound(&mob.memory).await;
        assert_eq!(
            kinds(&events).last(),
            Some(&"runtime.stopped"),
            "after {steps} steps"
        );
        let ready = kinds(&events).contains(&"runtime.ready");
        assert!(ready || started.is_err(), "after {steps} steps");
    }
}
