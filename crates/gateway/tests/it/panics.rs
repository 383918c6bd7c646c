//! Defects are answers, not broken connections.

use crate::kit::{BASE, Options, Server};
use mobkit_domain::time::Time;
use mobkit_engine::Clock;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Panics once it was told to.
#[derive(Default)]
struct Brittle(AtomicBool);

impl Clock for Brittle {
    fn now(&self) -> Time {
        assert!(
            !self.0.load(Ordering::SeqCst),
            "a clock that panics on purpose"
        );
        BASE
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_handler_is_an_internal_error_and_the_server_goes_on() {
    let brittle = Arc::new(Brittle::default());
    let clock = Some(Arc::clone(&brittle) as _);
    let server = Server::with(Options {
        clock,
        ..Options::default()
    })
    .await;
    brittle.0.store(true, Ordering::SeqCst);
    server
        .refused("system/info", json!({}), (500, "internal.panic"))
        .await;
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "system/info"},
        {"jsonrpc": "2.0", "id": 2, "method": "mob/status"},
    ]);
    let answers = server.rpc(&batch.to_string()).await.body;
    assert_eq!(answers[0]["error"]["code"], -32603);
    assert!(answers[1]["result"].is_object());
    brittle.0.store(false, Ordering::SeqCst);
    assert_eq!(
        server.call("mob/reconcile", json!({})).await["complete"],
        true
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_runner_fails_the_turn_alone() {
    let server = Server::up().await;
    let answer = server
        .call("member/ask", json!({"to": "ada", "content": "panic"}))
        .await;
    assert_eq!(answer["status"], "failed");
    let answer = server
        .call("member/ask", json!({"to": "ada", "content": "hello"}))
        .await;
    assert_eq!(answer["text"], "echo: hello");
}
