//! Operations over plain HTTP.

use crate::kit::{Server, request};
use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[tokio::test(start_paused = true)]
async fn operations_that_look_are_also_got() {
    let server = Server::up().await;
    let posted = server
        .call("member/list", json!({"limit": 2, "label": "team"}))
        .await;
    let got = server.get("/api/v1/member/list?limit=2&label=team").await;
    assert_eq!((got.status, got.body), (200, posted));
    assert_eq!(got.headers["content-type"], "application/json");
    assert_eq!(got.headers["cache-control"], "no-store");
    let events = server
        .get("/api/v1/event/query?after=0&limit=2&kinds=runtime.*,member.spawned")
        .await;
    assert_eq!(events.body["events"].as_array().map(Vec::len), Some(2));
}

#[tokio::test(start_paused = true)]
async fn an_empty_body_is_no_parameters() {
    let server = Server::up().await;
    for text in ["", "  ", "{}", "null"] {
        let posted = request("POST", "/api/v1/mob/status").body(Body::from(text));
        assert_eq!(
            server.send(posted.expect("a request")).await.status,
            200,
            "{text:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn methods_that_a_path_does_not_take_are_named() {
    let server = Server::up().await;
    let check = async |method: &str, path: &str, allow: &str| {
        let answer = server
            .send(
                request(method, path)
                    .body(Body::empty())
                    .expect("a request"),
            )
            .await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, allow),
            "{method} {path}"
        );
        assert_eq!(answer.body["code"], "request.method");
    };
    check("GET", "/api/v1/mob/pause", "POST").await;
    check("DELETE", "/api/v1/mob/pause", "POST").await;
    check("DELETE", "/api/v1/mob/status", "GET, HEAD, POST").await;
    check("OPTIONS", "/api/v1/mob/status", "GET, HEAD, POST").await;
    check("GET", "/rpc", "POST").await;
    check("POST", "/api/v1/events", "GET,HEAD").await;
    check("POST", "/healthz", "GET,HEAD").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_said_with_the_nearest() {
    let server = Server::up().await;
    let problem = server
        .refused("member/snd", json!({}), (404, "operation.not_found"))
        .await;
    assert_eq!(problem["hint"], "did you mean `member/send`?");
    let shape = json!({"type": problem["type"], "title": problem["title"],
                       "status": problem["status"], "kind": problem["kind"]});
    let expected =
        json!({"type": "about:blank", "title": "Not Found", "status": 404, "kind": "missing"});
    assert_eq!(shape, expected);
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("member/snd"))
    );
    for path in [
        "/api/v1/member",
        "/api/v2/mob/status",
        "/nothing",
        "/api/v1/a/b/c",
    ] {
        let answer = server.get(path).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (404, &json!("path.not_found")),
            "{path}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn bad_parameters_change_nothing_and_name_the_mistake() {
    let server = Server::up().await;
    let before = server.journal().await.len();
    let check = async |operation: &str, params: Value, code: &str, word: &str| {
        let problem = server.refused(operation, params, (400, code)).await;
        assert!(problem.to_string().contains(word), "{problem}");
    };
    let send = "member/send";
    check(
        send,
        json!({"to": "ada", "contnt": "x"}),
        "params.unknown_field",
        "content",
    )
    .await;
    check(send, json!({"to": "ada"}), "params.invalid", "content").await;
    check(
        send,
        json!({"to": 7, "content": "x"}),
        "params.invalid",
        "`to`",
    )
    .await;
    check(
        send,
        json!({"to": "Ada", "content": "x"}),
        "params.invalid",
        "member id",
    )
    .await;
    check(
        send,
        json!({"to": "ada", "content": "x", "mode": "now"}),
        "params.invalid",
        "queue",
    )
    .await;
    check(send, json!(["ada", "x"]), "params.malformed", "by name").await;
    check(
        "event/query",
        json!({"after": "1"}),
        "params.invalid",
        "after",
    )
    .await;
    check(
        "event/query",
        json!({"after": -1}),
        "params.invalid",
        "after",
    )
    .await;
    check(
        "mob/pause",
        json!({"reson": "x"}),
        "params.unknown_field",
        "reason",
    )
    .await;
    assert_eq!(server.journal().await.len(), before);
}

#[tokio::test(start_paused = true)]
async fn queries_are_read_as_strictly_as_bodies() {
    let server = Server::up().await;
    let check = async |query: &str, code: &str| {
        let answer = server.get(&format!("/api/v1/event/query?{query}")).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (400, &json!(code)),
            "{query}"
        );
    };
    check("after=x", "params.invalid").await;
    check("after=1&after=2", "params.invalid").await;
    check("aftr=1", "params.unknown_field").await;
    check("kinds=turn.compleated", "filter.kind_unknown").await;
    check("subject=ada", "filter.subject_malformed").await;
    check("source=human", "filter.source_unknown").await;
    let posted = request("POST", "/api/v1/mob/pause?reason=x").body(Body::empty());
    let answer = server.send(posted.expect("a request")).await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (400, &json!("params.in_query"))
    );
}

#[tokio::test(start_paused = true)]
async fn malformed_and_oversized_bodies_are_refused() {
    let server = Server::up().await;
    let post = async |path: &str, body: String| {
        server
            .send(
                request("POST", path)
                    .body(Body::from(body))
                    .expect("a request"),
            )
            .await
    };
    let broken = post("/api/v1/member/send", "{\"to\": ".to_owned()).await;
    assert_eq!(
        (broken.status, &broken.body["code"]),
        (400, &json!("request.malformed"))
    );
    let fits = json!({"to": "ada", "content": "x".repeat(1024 * 1024 - 100)}).to_string();
    assert_eq!(post("/api/v1/member/send", fits).await.status, 200);
    for (path, mib) in [
        ("/api/v1/member/send", 16),
        ("/api/v1/member/spawn", 1),
        ("/rpc", 1),
    ] {
        let large = post(path, "x".repeat(mib * 1024 * 1024 + 1)).await;
        assert_eq!(
            (large.status, &large.body["code"]),
            (413, &json!("request.too_large")),
            "{path}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_given_twice_changes_nothing() {
    let server = Server::up().await;
    let before = server.journal().await.len();
    let body = r#"{"to": "ada", "content": [{"type": "text", "text": "a", "text": "b"}]}"#;
    let posted = request("POST", "/api/v1/member/send").body(Body::from(body));
    let answer = server.send(posted.expect("a request")).await;
    let found = (answer.status, &answer.body["code"], &answer.body["field"]);
    assert_eq!(
        found,
        (400, &json!("params.duplicate_field"), &json!("text"))
    );
    assert_eq!(server.journal().await.len(), before);
}

/// A body of this many pieces of 1 MiB, and then, if it stalls, of silence. Counts what is read.
fn pieces(count: usize, stalls: bool) -> (Body, Arc<AtomicUsize>) {
    let read = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read);
    let pieces = stream::iter(0..count).map(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok::<_, Infallible>(Bytes::from(vec![b'x'; 1024 * 1024]))
    });
    let body = if stalls {
        Body::from_stream(pieces.chain(stream::pending()))
    } else {
        Body::from_stream(pieces)
    };
    (body, read)
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_large_is_read_on_before_the_answer_within_bounds() {
    let server = Server::up().await;
    let before = server.engine.now();
    // Whole; no more than 16 MiB beyond the limit; and no longer than 5 s.
    for (count, stalls, expected, ms) in [
        (10, false, 10, 0),
        (1_000, false, 18, 0),
        (3, true, 3, 5_000),
    ] {
        let (body, read) = pieces(count, stalls);
        let posted = request("POST", "/api/v1/member/spawn").body(body);
        let answer = server.send(posted.expect("a request")).await;
        assert_eq!(
            (answer.status, read.load(Ordering::Relaxed)),
            (413, expected)
        );
        assert_eq!(answer.body["code"], "request.too_large");
        assert_eq!(server.engine.now().since_ms(before), ms);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let server = Server::up().await;
    let endless = futures::stream::pending::<Result<bytes::Bytes, std::convert::Infallible>>();
    let posted = request("POST", "/rpc").body(Body::from_stream(endless));
    let answer = server.send(posted.expect("a request")).await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (408, &json!("request.too_slow"))
    );
}

#[tokio::test(start_paused = true)]
async fn the_router_can_be_nested() {
    let mut server = Server::up().await;
    server.app = axum::Router::new().nest("/team", server.app);
    assert_eq!(
        server.get("/team/api/v1/mob/status").await.body["mob"],
        "desk"
    );
    assert_eq!(server.get("/team/healthz").await.status, 200);
    assert_eq!(
        server.get("/team/nothing").await.body["code"],
        "path.not_found"
    );
}
