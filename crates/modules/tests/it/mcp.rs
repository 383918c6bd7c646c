//! Modules that speak MCP over their standard streams, as whole processes.

use crate::kit::{Mob, module};
use mobkit_domain::command::{ApprovalCommand, Command};
use mobkit_domain::event::{Event, StopOutcome, Verdict};
use mobkit_domain::text::Text;
use serde_json::json;

fn speaks_mcp(line: &str) -> String {
    let more = "effects = { leave = \"read\" }\nrestart = { backoff = [\"5ms\", \"20ms\"] }";
    module("m", line, more).replace("json-lines", "mcp-stdio")
}

async fn check(line: &str) {
    let mob = Mob::up(&[speaks_mcp(line)]).await;
    let (protocol, pid) = mob
        .event("healthy", |event| match event {
            Event::ModuleHealthy(e) => Some((e.protocol.clone(), e.pid)),
            _ => None,
        })
        .await;
    assert!(protocol.starts_with("mcp 2025-06-18"), "{protocol}");
    let result = mob.call("m", "echo", json!({ "a": 1 })).await;
    assert_eq!(result, Ok("{\"a\": 1}".to_owned()));
    assert_eq!(
        Some(mob.call("m", "pid", json!({})).await),
        pid.map(|pid| Ok(pid.to_string()))
    );
    let failed = mob.call("m", "leave", json!({})).await;
    assert_eq!(
        failed,
        Err("module m ended in the call: exit status 5".to_owned())
    );
    let (at, reason) = mob.restarting_after(0, "m").await;
    assert_eq!(reason, "exit status 5");
    let healthy = |event: &Event| matches!(event, Event::ModuleHealthy(_)).then_some(());
    mob.event_after(at, "healthy again", healthy).await;
    let report = mob.engine.shutdown().await;
    assert_eq!(report.modules.len(), 1);
    assert_eq!(
        report.modules[0].outcome,
        StopOutcome::Exited,
        "its input was closed"
    );
    assert_eq!(report.orphan_processes, 0);
}

#[tokio::test]
async fn one_of_the_era_before_is_asked_twice() {
    check("mcp.py").await;
}

#[tokio::test]
async fn one_that_ends_at_a_word_that_it_does_not_know_is_started_again() {
    check("mcp.py curt").await;
}

#[tokio::test]
async fn the_end_of_one_that_never_speaks_is_told() {
    let never = "restart = { policy = \"never\" }";
    let line = module("m", "starts.py exit-3 note", never).replace("json-lines", "mcp-stdio");
    let mob = Mob::up(&[line]).await;
    let reason = mob
        .event("stopped", |event| match event {
            Event::ModuleStopped(e) => Some(e.reason.clone()),
            _ => None,
        })
        .await;
    assert_eq!(reason, "exit status 3");
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn a_person_is_asked_in_the_middle_of_a_call_and_its_time_stands_still() {
    let mob = Mob::up(&[speaks_mcp("mcp.py")]).await;
    mob.healthy("m").await;
    mob.agent_calls("module:m/ask", &json!({})).await;
    let (approval, digest) = mob
        .event("a question", |event| match event {
            Event::ApprovalRequested(e) => Some((e.approval, e.digest.clone())),
            _ => None,
        })
        .await;
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_hours(5)).await;
    tokio::time::resume();
    let decide = ApprovalCommand::Decide {
        approval,
        digest,
        decision: Verdict::Approve,
        args: Some(json!({ "choice": "b" })),
        reason: None,
        grant: None,
        roles: Vec::new(),
    };
    mob.order(Command::Approval(decide)).await;
    let result = mob
        .event("finished", |event| match event {
            Event::ToolFinished(e) => Some(e.result.clone()),
            _ => None,
        })
        .await;
    let told = r#"{"action": "accept", "content": {"choice": "b"}}"#;
    assert_eq!(result, Text::from(told));
    mob.engine.shutdown().await;
}
