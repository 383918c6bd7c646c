//! Calls of modules that behave.

use crate::kit::{Mob, module};
use mobkit_domain::event::Event;
use mobkit_domain::state::ModuleStatus;
use mobkit_domain::text::Text;
use mobkit_engine::DeltaKind;
use serde_json::json;

async fn mob() -> Mob {
    Mob::up(&[module("m", "tools.py", "timeout = \"3s\"")]).await
}

#[tokio::test]
async fn a_module_says_which_tools_it_has_and_answers_calls() {
    let mob = mob().await;
    let (pid, tools) = mob
        .event("healthy", |event| match event {
            Event::ModuleHealthy(e) => Some((e.pid, e.tools.clone())),
            _ => None,
        })
        .await;
    let names: Vec<String> = tools
        .expect("listed")
        .into_iter()
        .map(|tool| tool.name)
        .collect();
    assert!(names.contains(&"echo".to_owned()) && names.contains(&"state".to_owned()));
    assert_eq!(
        mob.value("m", "echo", json!({ "a": [1, "é"] })).await,
        json!({ "a": [1, "é"] })
    );
    let failed = mob
        .call("m", "fail", json!({ "why": "no such page" }))
        .await;
    assert_eq!(failed, Err("no such page".to_owned()));
    let state = mob.value("m", "state", json!({})).await;
    assert_eq!(
        state["pid"],
        json!(pid),
        "the process is the one that the journal names"
    );
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn an_agent_calls_a_tool_by_its_stable_id() {
    let mob = mob().await;
    mob.healthy("m").await;
    mob.agent_calls("module:m/call", &json!({})).await;
    let (call, result) = mob
        .event("finished", |event| match event {
            Event::ToolFinished(e) => Some((e.call, e.result.clone())),
            _ => None,
        })
        .await;
    assert_eq!(result, Text::from(call.to_string()));
    mob.event("the turn ends", |event| {
        matches!(event, Event::TurnCompleted(_)).then_some(())
    })
    .await;
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn long_results_and_arguments_pass_beside_the_journal() {
    let mob = mob().await;
    mob.healthy("m").await;
    let result = mob.call("m", "long", json!({ "bytes": 1_000_000 })).await;
    assert_eq!(result.expect("a result").len(), 1_000_000);
    let kept = mob
        .event("finished", |event| match event {
            Event::ToolFinished(e) => Some(e.result.clone()),
            _ => None,
        })
        .await;
    assert!(matches!(kept, Text::Blob(blob) if blob.bytes == 1_000_000));
    let text = "y".repeat(100_000);
    let args = json!({ "text": text, "more": [{ "x": 1 }] });
    let stashed = mobkit_engine::stash_value(mob.engine.store().as_ref(), args.clone()).await;
    let stashed = stashed.expect("kept");
    assert_ne!(stashed, args);
    assert_eq!(mob.value("m", "echo", stashed).await, args);
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn calls_run_side_by_side() {
    let mob = mob().await;
    mob.healthy("m").await;
    let slow = json!({ "beats": 1, "pause_s": 0.6 });
    let calls = (0..8).map(|_| mob.call("m", "slow", slow.clone()));
    // One after the other they would outlast the time limit of each by far.
    let outcomes = futures::future::join_all(calls).await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.as_deref() == Ok("done")),
        "{outcomes:?}"
    );
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn progress_begins_the_time_limit_anew_and_is_shown() {
    let mob = mob().await;
    mob.healthy("m").await;
    let mut deltas = mob.engine.deltas();
    let slow = json!({ "beats": 14, "pause_s": 0.25, "progress": true });
    mob.agent_calls("module:m/slow", &slow).await;
    let result = mob
        .event("finished", |event| match event {
            Event::ToolFinished(e) => Some(e.result.clone()),
            _ => None,
        })
        .await;
    assert_eq!(result, Text::from("done"));
    let shown = deltas.recv().await.expect("shown");
    assert_eq!(
        (shown.kind, shown.text.as_str()),
        (DeltaKind::Progress, "still at it")
    );
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn a_call_over_its_time_is_cancelled_and_a_module_that_lives_goes_on() {
    let mob = mob().await;
    mob.healthy("m").await;
    let lost = mob
        .call("m", "slow", json!({ "beats": 1, "pause_s": 30 }))
        .await;
    assert_eq!(lost, Err("module m gave no answer within 3s".to_owned()));
    let cancelled = mob.value("m", "cancelled", json!({})).await;
    assert_eq!(cancelled.as_array().map(Vec::len), Some(1), "{cancelled}");
    assert_eq!(mob.status("m"), ModuleStatus::Healthy);
    let kinds: Vec<&str> = mob.journal().await.iter().map(|e| e.event.kind()).collect();
    assert!(!kinds.contains(&"module.unhealthy"), "{kinds:?}");
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn a_call_of_a_turn_that_is_cancelled_is_cancelled_at_the_module() {
    let mob = mob().await;
    mob.healthy("m").await;
    mob.agent_calls("module:m/slow", &json!({ "beats": 1, "pause_s": 30 }))
        .await;
    let started = mob
        .event("started", |event| match event {
            Event::ToolStarted(e) => e.turn.map(|turn| (turn, e.call)),
            _ => None,
        })
        .await;
    let cancel = mobkit_domain::command::TurnCommand::Cancel {
        turn: started.0,
        reason: None,
    };
    let command = mobkit_domain::command::Command::Turn(cancel);
    mob.engine
        .submit_internal(command)
        .await
        .expect("cancelled");
    let is_told = async {
        while mob.value("m", "cancelled", json!({})).await != json!([started.1.to_string()]) {}
    };
    let told = tokio::time::timeout(std::time::Duration::from_secs(30), is_told).await;
    assert!(told.is_ok(), "the module was not told");
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn what_a_module_says_unasked_is_recorded_up_to_a_rate() {
    let mob = mob().await;
    mob.healthy("m").await;
    mob.call("m", "say", json!({ "event": { "kind": "tick", "n": 1 } }))
        .await
        .expect("said");
    let said = |event: &Event| match event {
        Event::ModuleEvent(e) => Some(e.clone()),
        _ => None,
    };
    let first = mob.event("an event", said).await;
    assert_eq!(
        (first.event, first.dropped),
        (json!({ "kind": "tick", "n": 1 }), 0)
    );
    let long = json!({ "event": { "text": "z".repeat(50_000) } });
    mob.call("m", "say", long).await.expect("said");
    let (_, kept) = mob
        .event_after(0, "a long event", |event| {
            said(event).filter(|e| e.event.get("blob").is_some())
        })
        .await;
    assert!(
        kept.event["bytes"]
            .as_u64()
            .is_some_and(|bytes| bytes > 50_000)
    );
    mob.engine.shutdown().await;
}
