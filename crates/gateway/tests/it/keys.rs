//! Idempotency keys.

use crate::kit::{MOB, Options, Server, request};
use axum::body::Body;
use mobkit_gateway::{Keys, OPERATIONS};
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

/// Changes that begin with something that the table below can't bring about: what they do with a
/// key is the same code.
const LONG: [&str; 6] = [
    "approval/decide",
    "delivery/replay",
    "grant/revoke",
    "module/call",
    "route/enable",
    "tool/resolve",
];

/// What is done before, and the parameters with which an operation changes something then.
fn change(operation: &str) -> (Vec<(&'static str, Value)>, Value) {
    let ada = json!({"member": "ada"});
    let pair = json!({"a": "ada", "b": "cid"});
    let search = json!({"module": "search"});
    let entry = json!({"id": "s", "cron": "0 * * * *", "to": {"member": "ada"}, "message": "go"});
    let s = json!({"schedule": "s"});
    let route = json!({"id": "r", "match": {"recipient": "r"},
                       "sink": {"kind": "member", "member": "bob"}});
    let hello = json!({"to": "ada", "content": "hello"});
    let hang = ("member/send", json!({"to": "ada", "content": "hang"}));
    match operation {
        "mob/apply"
        | "mob/reconcile"
        | "mob/reconcile_edges"
        | "mob/rediscover"
        | "mob/reset"
        | "mob/pause" => (vec![], json!({})),
        "mob/resume" => (vec![("mob/pause", json!({}))], json!({})),
        "member/spawn" | "member/ensure" => (vec![], json!({"id": "dan"})),
        "member/retire" | "member/respawn" | "member/reset" | "member/pause" => (vec![], ada),
        "member/delete" => (vec![("member/retire", ada.clone())], ada),
        "member/resume" => (vec![("member/pause", ada.clone())], ada),
        "member/cancel" => (vec![hang], ada),
        "member/send" | "member/ask" => (vec![], hello),
        "edge/wire" => (vec![], pair),
        "edge/unwire" => (vec![("edge/wire", pair.clone())], pair),
        "message/cancel" => (vec![hang, ("member/send", hello)], json!({"message": ""})),
        "turn/cancel" => (vec![hang], json!({"turn": ""})),
        "module/start" => (vec![("module/stop", search.clone())], search),
        "module/stop" | "module/restart" => (vec![], search),
        "schedule/put" => (vec![], entry),
        "schedule/resume" => (
            vec![("schedule/put", entry), ("schedule/pause", s.clone())],
            s,
        ),
        "schedule/remove" | "schedule/pause" | "schedule/trigger" => {
            (vec![("schedule/put", entry)], s)
        }
        "schedule/backfill" => {
            let past = json!({"schedule": "s", "from": "2025-11-22T03:00:00Z",
                              "to": "2025-11-22T05:00:00Z"});
            (vec![("schedule/put", entry)], past)
        }
        "route/put" => (vec![], route),
        "route/remove" => (vec![("route/put", route)], json!({"route": "r"})),
        "delivery/send" => (
            vec![],
            json!({"recipient": "member:ada", "payload": "hello"}),
        ),
        other => panic!("say here how {other} changes something, or why that takes more"),
    }
}

#[tokio::test(start_paused = true)]
async fn keys_hold_for_every_change() {
    let modules = "[[modules]]\nid = \"search\"\ntransport = \"json-lines\"\ncommand = [\"x\"]\n";
    let changes = OPERATIONS.iter().filter(|operation| !operation.is_read());
    for operation in changes {
        let name = operation.name;
        // Whoever repeats a shutdown joins it.
        if LONG.contains(&name) || name == "system/shutdown" {
            continue;
        }
        let options = Options {
            mob: Some(format!("{MOB}{modules}")),
            ..Options::default()
        };
        let server = Server::with(options).await;
        let (before, mut params) = change(name);
        let mut last = Value::Null;
        for (operation, params) in before {
            last = server.call(operation, params).await;
        }
        match name {
            "mob/apply" => {
                params["digest"] = server.call("mob/plan", json!({})).await["digest"].clone();
            }
            "message/cancel" => params["message"] = last["message"].clone(),
            "turn/cancel" => {
                let ada = server.call("member/get", json!({"member": "ada"})).await;
                params["turn"] = ada["turn"].clone();
            }
            _ => {}
        }
        params["key"] = json!("k-1");
        let first = server.call(name, params.clone()).await;
        let again = server.call(name, params.clone()).await;
        // What an answer shows beside its position may have gone on since.
        match first.get("seq") {
            Some(seq) => assert_eq!(again["seq"], *seq, "{name}"),
            None => assert_eq!(again, first, "{name}"),
        }
        if operation.keys != Keys::Process {
            let other = json!({"id": "eve", "key": "k-1"});
            let spawn = server.post("member/spawn", other).await;
            let found = (spawn.status, &spawn.body["code"]);
            assert_eq!(found, (409, &json!("key.reused")), "{name}");
        }
    }
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
