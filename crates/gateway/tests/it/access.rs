//! Who gets in, and from where.

use crate::kit::{Answer, Server, TOKEN};
use axum::body::Body;
use axum::http::Request;
use mobkit_domain::event::{AccessDenied, Event};
use serde_json::json;
use std::time::Duration;

async fn get(server: &Server, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server
        .send(request.body(Body::empty()).expect("a request"))
        .await
}

const HOST: (&str, &str) = ("host", "localhost:7373");
const STATUS: &str = "/api/v1/mob/status";

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

async fn denials(server: &Server) -> Vec<AccessDenied> {
    // The record is made beside the answer.
    tokio::time::sleep(Duration::from_millis(1)).await;
    let events = server.journal().await.into_iter();
    let denied = events.filter_map(|event| match event.event {
        Event::AccessDenied(denied) => Some(denied),
        _ => None,
    });
    denied.collect()
}

#[tokio::test(start_paused = true)]
async fn nobody_gets_in_without_the_token() {
    let server = Server::up().await;
    let check = async |authorization: Option<&str>, code: &str, challenge: &str| {
        for path in [STATUS, "/api/v1/events", "/nothing", "/rpc"] {
            let mut headers = vec![HOST];
            headers.extend(authorization.map(|value| ("authorization", value)));
            let answer = get(&server, path, &headers).await;
            assert_eq!(
                (answer.status, &answer.body["code"]),
                (401, &json!(code)),
                "{path}"
            );
            assert_eq!(answer.header("www-authenticate"), challenge);
        }
    };
    let plain = r#"Bearer realm="mobkit""#;
    check(None, "access.token_missing", plain).await;
    check(Some("Basic abc"), "access.token_missing", plain).await;
    let invalid = r#"Bearer realm="mobkit", error="invalid_token""#;
    check(Some(&bearer("wrong")), "access.token_invalid", invalid).await;
    check(Some(&bearer(&TOKEN[1..])), "access.token_invalid", invalid).await;
    let answer = get(&server, STATUS, &[HOST, ("authorization", &bearer(TOKEN))]).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test(start_paused = true)]
async fn foreign_hosts_and_pages_stay_out() {
    let server = Server::up().await;
    let token = bearer(TOKEN);
    let check = async |host: &str, origin: Option<&str>, expected: (u16, &str)| {
        for path in [STATUS, "/api/v1/events?follow=false", "/healthz"] {
            let mut headers = vec![("host", host), ("authorization", token.as_str())];
            headers.extend(origin.map(|origin| ("origin", origin)));
            let answer = get(&server, path, &headers).await;
            let code = answer.body["code"].as_str().unwrap_or_default();
            assert_eq!((answer.status, code), expected, "{host} {origin:?} {path}");
        }
    };
    check("127.0.0.1:7373", Some("http://localhost:7373"), (200, "")).await;
    check("[::1]:7373", None, (200, "")).await;
    check("mob.evil.example", None, (403, "access.host")).await;
    check(
        "127.0.0.1:7373",
        Some("https://evil.example"),
        (403, "access.origin"),
    )
    .await;
    check(
        "127.0.0.1:7373",
        Some("http://127.0.0.1:3000"),
        (403, "access.origin"),
    )
    .await;
    check("127.0.0.1:7373", Some("null"), (403, "access.origin")).await;
    let nameless = get(&server, STATUS, &[("authorization", &token)]).await;
    assert_eq!(
        (nameless.status, &nameless.body["code"]),
        (400, &json!("request.host_missing"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_in_a_url_is_refused() {
    let server = Server::up().await;
    for name in ["token", "access_token", "Api_Key"] {
        let path = format!("{STATUS}?{name}={TOKEN}");
        let answer = get(&server, &path, &[HOST, ("authorization", &bearer(TOKEN))]).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (400, &json!("access.token_in_url"))
        );
        assert!(!answer.body.to_string().contains(TOKEN));
    }
}

#[tokio::test(start_paused = true)]
async fn denials_are_recorded_and_a_flood_is_counted() {
    let server = Server::up().await;
    for _ in 0..10 {
        get(&server, STATUS, &[HOST]).await;
    }
    let first = AccessDenied {
        operation: STATUS.to_owned(),
        code: "access.token_missing".to_owned(),
        remote: None,
        more: 0,
    };
    assert_eq!(denials(&server).await, std::slice::from_ref(&first));
    get(&server, STATUS, &[HOST, ("authorization", "Bearer wrong")]).await;
    // The rest is recorded even if nobody else is refused.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let second = AccessDenied {
        code: "access.token_invalid".to_owned(),
        more: 9,
        ..first.clone()
    };
    assert_eq!(denials(&server).await, [first, second]);
    assert!(!server.engine.tasks().live().contains_key("access denial"));
    let recorded = serde_json::to_string(&server.journal().await).expect("JSON");
    assert!(!recorded.contains("wrong"));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_records_the_denials_that_wait() {
    let server = Server::up().await;
    for _ in 0..3 {
        get(&server, STATUS, &[HOST]).await;
    }
    // A turn at work keeps the drain open for a while.
    server
        .call("member/send", json!({"to": "ada", "content": "hang"}))
        .await;
    let report = server.engine.shutdown().await;
    assert!(report.is_orderly(), "{report:?}");
    let more: Vec<u64> = denials(&server).await.iter().map(|d| d.more).collect();
    assert_eq!(more, [0, 1]);
    let last = server.journal().await.into_iter().next_back();
    assert_eq!(
        last.map(|event| event.event.kind()),
        Some("runtime.stopped")
    );
}

#[tokio::test(start_paused = true)]
async fn the_open_paths_need_no_token() {
    let server = Server::up().await;
    for path in ["/", "/healthz", "/readyz"] {
        let answer = get(&server, path, &[HOST]).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    assert_eq!(get(&server, "/", &[HOST]).await.body["name"], "mobkit");
    assert!(denials(&server).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_acted_and_in_which_trace_is_recorded() {
    let server = Server::up().await;
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traced = crate::kit::request("POST", "/api/v1/mob/pause")
        .header("traceparent", format!("00-{id}-00f067aa0ba902b7-01"))
        .body(Body::empty());
    server.send(traced.expect("a request")).await;
    let paused = server
        .journal()
        .await
        .into_iter()
        .next_back()
        .expect("an event");
    assert_eq!(paused.event.kind(), "mob.paused");
    assert_eq!(paused.trace.as_deref(), Some(id));
    assert_eq!(
        paused.actor.map(|actor| actor.to_string()).as_deref(),
        Some("operator:local")
    );
}
