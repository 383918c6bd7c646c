//! Idempotency keys.

use crate::kit::{Options, Server, request};
use axum::body::Body;
use serde_json::{Value, json};

async fn send(server: &Server, key: &str, header: Option<&str>, text: &str) -> (u16, Value) {
    let mut params = json!({"to": "ada", "content": text});
    if !key.is_empty() {
        params["key"] = json!(key);
    }
    let mut posted = request("POST", "/api/v1/member/send");
    if let Some(header) = header {
        posted = posted.header("idempotency-key", header);
    }
    let posted = posted
        .body(Body::from(params.to_string()))
        .expect("a request");
    let answer = server.send(posted).await;
    (answer.status, answer.body)
}

#[tokio::test(start_paused = true)]
async fn a_repeated_key_gets_the_first_answer_however_it_is_given() {
    let server = Server::up().await;
    let first = send(&server, "k-1", None, "hello").await;
    assert_eq!(first.0, 200);
    assert_eq!(send(&server, "k-1", None, "hello").await, first);
    assert_eq!(send(&server, "", Some("k-1"), "hello").await, first);
    assert_eq!(send(&server, "", Some("\"k-1\""), "hello").await, first);
    assert_eq!(send(&server, "k-1", Some("k-1"), "hello").await, first);
    let listed = server.call("message/list", json!({})).await;
    assert_eq!(listed["messages"].as_array().map(Vec::len), Some(1));

    let (status, problem) = send(&server, "k-1", None, "something else").await;
    assert_eq!((status, &problem["code"]), (409, &json!("key.reused")));
    let (status, problem) = send(&server, "k-1", Some("k-2"), "hello").await;
    assert_eq!((status, &problem["code"]), (400, &json!("key.ambiguous")));
    let (status, problem) = send(&server, &"k".repeat(256), None, "hello").await;
    assert_eq!((status, &problem["code"]), (400, &json!("key.malformed")));
}

#[tokio::test(start_paused = true)]
async fn a_key_outlives_the_process() {
    let first = Server::up().await;
    let answer = send(&first, "k-1", None, "hello").await;
    first.engine.shutdown().await;
    let options = Options {
        memory: first.memory.reopen(),
        ..Options::default()
    };
    let second = Server::with(options).await;
    assert_eq!(send(&second, "k-1", None, "hello").await, answer);
}

#[tokio::test(start_paused = true)]
async fn keys_hold_for_every_change() {
    let server = Server::up().await;
    let spawn = json!({"id": "dan", "key": "k-1"});
    let first = server.call("member/spawn", spawn.clone()).await;
    assert_eq!(server.call("member/spawn", spawn).await, first);
    let other = json!({"id": "eve", "key": "k-1"});
    server
        .refused("member/spawn", other, (409, "key.reused"))
        .await;
    server
        .refused(
            "member/retire",
            json!({"member": "dan", "key": "k-1"}),
            (409, "key.reused"),
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn an_operation_of_several_steps_runs_once_under_a_key() {
    let server = Server::up().await;
    let reset = json!({"key": "k-1"});
    let (first, second) = futures::join!(
        server.call("mob/reset", reset.clone()),
        server.call("mob/reset", reset.clone())
    );
    assert_eq!(first, second);
    assert_eq!(server.call("mob/reset", reset).await, first);
    let ada = server.call("member/get", json!({"member": "ada"})).await;
    assert_eq!(ada["generation"], 2);
    server
        .refused(
            "mob/reset",
            json!({"key": "k-1", "force": true}),
            (409, "key.reused"),
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn what_changes_nothing_takes_no_key() {
    let server = Server::up().await;
    server
        .refused(
            "mob/status",
            json!({"key": "k"}),
            (400, "params.unknown_field"),
        )
        .await;
    let got = request("GET", "/api/v1/mob/status").header("idempotency-key", "k");
    assert_eq!(
        server
            .send(got.body(Body::empty()).expect("a request"))
            .await
            .status,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn a_header_can_not_stand_for_a_batch() {
    let server = Server::up().await;
    let send = |key: &str| {
        json!({"jsonrpc": "2.0", "id": key, "method": "member/send",
               "params": {"to": "ada", "content": "hello", "key": key}})
    };
    let batch = json!([send("a"), send("b"), send("a")]);
    let posted = request("POST", "/rpc").header("idempotency-key", "k");
    let refused = server
        .send(
            posted
                .body(Body::from(batch.to_string()))
                .expect("a request"),
        )
        .await;
    assert_eq!(refused.body["error"]["code"], -32600);
    let answers = server.rpc(&batch.to_string()).await.body;
    assert_eq!(answers[0]["result"], answers[2]["result"]);
    assert_ne!(answers[0]["result"], answers[1]["result"]);
}
