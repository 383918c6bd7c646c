//! Starts, stops and restarts of modules that run.

use crate::kit::{Mob, children, module, module_id};
use mobkit_domain::command::{Command, ModuleCommand};
use mobkit_domain::event::{Event, StartReason, StopOutcome};
use mobkit_domain::state::ModuleStatus;
use serde_json::json;

async fn stopped(mob: &Mob, after: u64) -> (u64, String, Option<StopOutcome>) {
    let (at, (reason, outcome)) = mob
        .event_after(after, "stopped", |event| match event {
            Event::ModuleStopped(e) => Some((e.reason.clone(), e.outcome)),
            _ => None,
        })
        .await;
    (at, reason, outcome)
}

#[tokio::test]
async fn an_operator_stops_starts_and_restarts_it() {
    let mob = Mob::up(&[module("m", "tools.py", "")]).await;
    mob.healthy("m").await;
    let module = module_id("m");
    let first = mob.value("m", "state", json!({})).await;
    mob.order(Command::Module(ModuleCommand::Stop {
        module: module.clone(),
    }))
    .await;
    let (at, reason, outcome) = stopped(&mob, 0).await;
    assert_eq!(
        (reason.as_str(), outcome),
        ("operator", Some(StopOutcome::Exited))
    );
    assert_eq!(mob.status("m"), ModuleStatus::Stopped);
    mob.order(Command::Module(ModuleCommand::Start {
        module: module.clone(),
    }))
    .await;
    let healthy = |event: &Event| matches!(event, Event::ModuleHealthy(_)).then_some(());
    let (at, ()) = mob.event_after(at, "healthy", healthy).await;
    let second = mob.value("m", "state", json!({})).await;
    mob.order(Command::Module(ModuleCommand::Restart { module }))
        .await;
    mob.event_after(at, "healthy", healthy).await;
    let third = mob.value("m", "state", json!({})).await;
    assert!(first["pid"] != second["pid"] && second["pid"] != third["pid"]);
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn a_lazy_module_starts_when_it_is_called_and_stops_when_it_is_idle() {
    let more = "start = \"lazy\"\nidle_stop = \"300ms\"";
    let mob = Mob::up(&[module("m", "tools.py", more)]).await;
    // Once to learn its tools, then for each call.
    let (at, reason, outcome) = stopped(&mob, 0).await;
    assert_eq!(
        (reason.as_str(), outcome),
        ("idle", Some(StopOutcome::Exited))
    );
    let result = mob.value("m", "echo", json!({ "a": 1 })).await;
    assert_eq!(result, json!({ "a": 1 }));
    let (_, reason, _) = stopped(&mob, at).await;
    assert_eq!(reason, "idle");
    let mut reasons = Vec::new();
    for envelope in mob.journal().await {
        if let Event::ModuleStarting(e) = envelope.event {
            reasons.push(e.reason);
        }
    }
    assert_eq!(reasons, [StartReason::Listing, StartReason::Called]);
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn an_exit_without_an_error_is_success() {
    let mob = Mob::up(&[module("m", "family.py", "")]).await;
    mob.healthy("m").await;
    mob.call("m", "leave", json!({}))
        .await
        .expect_err("it left");
    let (_, reason, outcome) = stopped(&mob, 0).await;
    assert_eq!((reason.as_str(), outcome), ("exit status 0", None));
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn a_shutdown_stops_all_side_by_side_and_says_how() {
    let mob = Mob::up(&[
        module("good", "tools.py", ""),
        module("deaf", "family.py deaf", ""),
        module("stubborn", "family.py stubborn", ""),
    ])
    .await;
    for id in ["good", "deaf", "stubborn"] {
        mob.healthy(id).await;
    }
    let report = mob.engine.shutdown().await;
    let how = |id: &str| {
        let found = report
            .modules
            .iter()
            .find(|module| module.id.as_str() == id);
        found.map(|module| (module.outcome, module.took_ms))
    };
    assert_eq!(report.modules.len(), 3, "{report:?}");
    let (good, deaf, stubborn) = (how("good"), how("deaf"), how("stubborn"));
    assert_eq!(good.map(|how| how.0), Some(StopOutcome::Exited));
    assert_eq!(deaf.map(|how| how.0), Some(StopOutcome::Terminated));
    assert_eq!(stubborn.map(|how| how.0), Some(StopOutcome::Killed));
    // What was waited for, it took: a second for its input, two for SIGTERM.
    assert!(deaf.is_some_and(|how| how.1 >= 1_000), "{report:?}");
    assert!(stubborn.is_some_and(|how| how.1 >= 3_000), "{report:?}");
    assert_eq!(report.orphan_processes, 0);
    assert_eq!(mob.modules.processes_left(), 0);
    assert_eq!(
        children(),
        Vec::<String>::new(),
        "the watchdog has ended too"
    );
    let recorded = mob
        .journal()
        .await
        .into_iter()
        .filter_map(|envelope| match envelope.event {
            Event::ModuleStopped(e) => Some((e.module.to_string(), e.reason, e.outcome)),
            _ => None,
        });
    let recorded: Vec<_> = recorded.collect();
    let wanted = [
        ("deaf", StopOutcome::Terminated),
        ("good", StopOutcome::Exited),
        ("stubborn", StopOutcome::Killed),
    ];
    let wanted = wanted.map(|(id, how)| (id.to_owned(), "shutdown".to_owned(), Some(how)));
    assert_eq!(recorded.len(), 3);
    for one in wanted {
        assert!(recorded.contains(&one), "{recorded:?}");
    }
}
