//! What is taken in each phase of the runtime.

use crate::kit::{Options, Server};
use futures::join;
use mobkit_domain::event::Event;
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn a_start_serves_reads_and_says_when_to_come_back() {
    let server = Server::with(Options {
        starting: true,
        ..Options::default()
    })
    .await;
    assert_eq!(
        server.call("mob/status", json!({})).await["state"],
        "starting"
    );
    let send = json!({"to": "ada", "content": "hello"});
    let busy = server.post("member/send", send).await;
    assert_eq!((busy.status, &busy.body["kind"]), (503, &json!("busy")));
    assert_eq!(
        (busy.header("retry-after"), &busy.body["retry_after_ms"]),
        ("1", &json!(1_000))
    );
    server
        .refused("mob/apply", json!({}), (503, "runtime.not_running"))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_is_asked_for_answers_at_once_and_reads_go_on() {
    let server = Server::up().await;
    server
        .call("member/send", json!({"to": "ada", "content": "gate"}))
        .await;
    assert_eq!(
        server.call("system/shutdown", json!({})).await,
        json!({"state": "draining"})
    );
    server
        .until(|event| matches!(event, Event::RuntimeDraining(_)))
        .await;
    assert_eq!(
        server.call("mob/status", json!({})).await["state"],
        "draining"
    );
    let refused = server
        .post("member/send", json!({"to": "bob", "content": "hello"}))
        .await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (503, &json!("runtime.not_running"))
    );
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(
        server.call("system/shutdown", json!({})).await,
        json!({"state": "draining"})
    );
    server.runner.gate.notify_one();
    let report = server.engine.shutdown().await;
    assert_eq!(report.drain.turns_finished, 1);
    assert!(report.is_orderly(), "{report:?}");
    assert_eq!(
        server.call("system/shutdown", json!({})).await,
        json!(report)
    );
    server
        .refused("mob/status", json!({}), (503, "runtime.not_running"))
        .await;
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_shutdown_gets_its_report() {
    let server = Server::up().await;
    server
        .call("member/send", json!({"to": "ada", "content": "hang"}))
        .await;
    let wait = || server.call("system/shutdown", json!({"wait": true}));
    let (first, second) = join!(wait(), wait());
    assert_eq!(first["state"], "stopped");
    assert_eq!(first["drain"]["turns_checkpointed"], 1);
    assert_eq!(first, second);
    assert_eq!(first, json!(server.engine.shutdown().await));
}

#[tokio::test(start_paused = true)]
async fn streams_end_and_leave_no_task_behind() {
    let server = Server::up().await;
    let mut sse = server.stream("", &[]).await;
    let lines = [("accept", "application/x-ndjson")];
    let mut lines = server.stream("?follow=true", &lines).await;
    let (report, sse, lines) = join!(server.engine.shutdown(), sse.rest(), lines.rest());
    assert!(report.is_orderly(), "{report:?}");
    let stopping = || {
        crate::kit::Item::Named(
            "runtime.stopping".to_owned(),
            json!({"kind": "runtime.stopping"}),
        )
    };
    assert_eq!(sse.last(), Some(&stopping()));
    assert_eq!(lines.last(), Some(&stopping()));
    let before = sse.iter().rev().nth(1);
    assert!(
        matches!(before, Some(crate::kit::Item::Event(_, event)) if event["kind"] == "runtime.stopped")
    );
    assert!(server.engine.tasks().live().is_empty());
}
