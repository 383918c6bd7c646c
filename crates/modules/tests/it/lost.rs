//! Modules that are lost in the middle of a call.

use crate::kit::{Mob, is_stopped, module, until};
use mobkit_domain::event::Event;
use mobkit_domain::row::TurnStatus;
use mobkit_domain::state::ModuleStatus;
use serde_json::json;

const QUICK: &str = "timeout = \"1s\"\nrestart = { backoff = [\"5ms\", \"20ms\"] }";

async fn mob() -> Mob {
    let mob = Mob::up(&[
        module("m", "breaks.py", QUICK),
        module("other", "tools.py", ""),
    ])
    .await;
    mob.healthy("m").await;
    mob.healthy("other").await;
    mob
}

/// Calls with an effect are unknown, and a person has to say what came of them.
async fn unknown(mob: &Mob) {
    let turn = mob
        .event("unknown", |event| match event {
            Event::ToolUnknown(e) => e.turn,
            _ => None,
        })
        .await;
    let status = mob.engine.view(|world| world.state.turns[&turn].status());
    assert_eq!(status, TurnStatus::Waiting);
}

#[tokio::test]
async fn a_kill_in_a_call_with_an_effect_leaves_it_unknown() {
    let mob = mob().await;
    mob.agent_calls("module:m/kill", &json!({})).await;
    unknown(&mob).await;
    let (at, reason) = mob.restarting_after(0, "m").await;
    assert_eq!(reason, "signal 9 (SIGKILL)");
    mob.event_after(at, "healthy again", |event| {
        matches!(event, Event::ModuleHealthy(e) if e.module.as_str() == "m").then_some(())
    })
    .await;
    assert_eq!(
        mob.value("m", "echo", json!({ "a": 1 })).await,
        json!({ "a": 1 })
    );
    let others = mob
        .journal()
        .await
        .into_iter()
        .filter(|envelope| match &envelope.event {
            Event::ModuleHealthy(e) => e.module.as_str() == "other",
            Event::ModuleStarting(e) => e.module.as_str() == "other",
            Event::ModuleRestarting(e) => e.module.as_str() == "other",
            _ => false,
        });
    assert_eq!(others.count(), 2, "the other module was started once");
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn a_kill_in_a_call_that_only_reads_fails_it() {
    let mob = mob().await;
    mob.agent_calls("module:m/kill_read", &json!({})).await;
    let reason = mob
        .event("failed", |event| match event {
            Event::ToolFailed(e) => Some(e.reason.clone()),
            _ => None,
        })
        .await;
    assert_eq!(reason, "module m ended in the call: signal 9 (SIGKILL)");
    mob.event("the turn goes on", |event| {
        matches!(event, Event::TurnCompleted(_)).then_some(())
    })
    .await;
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn an_exit_in_a_call_is_told_with_its_status() {
    let mob = mob().await;
    let failed = mob.call("m", "leave", json!({ "status": 7 })).await;
    assert_eq!(
        failed,
        Err("module m ended in the call: exit status 7".to_owned())
    );
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn one_that_falls_silent_is_probed_and_replaced() {
    let mob = mob().await;
    let before = mob.engine.head();
    let pid = mob
        .event("healthy", |event| match event {
            Event::ModuleHealthy(e) if e.module.as_str() == "m" => e.pid,
            _ => None,
        })
        .await;
    mob.agent_calls("module:m/freeze", &json!({})).await;
    until("it is frozen", || is_stopped(pid)).await;
    // From here on nothing happens by itself, so the waits pass at once.
    tokio::time::pause();
    unknown(&mob).await;
    let wanted = "no answer to module:m/freeze within 1s, nor to a probe within 5 s";
    let (at, doubt) = mob
        .event_after(before, "unhealthy", |event| match event {
            Event::ModuleUnhealthy(e) => Some(e.reason.clone()),
            _ => None,
        })
        .await;
    assert_eq!(doubt, wanted);
    tokio::time::resume();
    let (_, reason) = mob.restarting_after(at, "m").await;
    assert_eq!(reason, wanted);
    mob.event_after(at, "healthy again", |event| {
        matches!(event, Event::ModuleHealthy(_)).then_some(())
    })
    .await;
    assert_eq!(mob.status("other"), ModuleStatus::Healthy);
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn one_that_closes_its_output_is_over() {
    let mob = mob().await;
    let failed = mob.call("m", "close", json!({})).await;
    assert_eq!(
        failed,
        Err("module m ended in the call: it closed its output".to_owned())
    );
    mob.engine.shutdown().await;
}
