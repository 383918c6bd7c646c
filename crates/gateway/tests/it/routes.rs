//! Routes: defining them, and which one takes a delivery.

use crate::kit::Server;
use serde_json::{Value, json};

fn webhook() -> Value {
    json!({
        "id": "ops", "match": {"recipient": "ops", "channel": "alerts"},
        "sink": {
            "kind": "webhook", "url": "https://hooks.example.com/in?room=7",
            "secret": {"env": "OPS_SECRET"},
            "headers": {"X-Team": "a-team-of-the-tests", "X-Token": {"file": "token.txt"}},
        },
        "retry": {"attempts": 3, "backoff": ["1s", "90s"]}, "rate": {"per_minute": 30},
    })
}

fn to_bob(id: &str, recipient: &str, channel: &str) -> Value {
    json!({
        "id": id, "match": {"recipient": recipient, "channel": channel},
        "sink": {"kind": "member", "member": "bob"},
    })
}

#[tokio::test(start_paused = true)]
async fn a_route_is_shown_as_the_mob_file_would_have_it_but_for_its_headers() {
    let server = Server::up().await;
    let entry = webhook();
    let put = server.call("route/put", entry.clone()).await;
    assert_eq!(put["route"], "ops");
    let found = server.call("route/get", json!({"id": "ops"})).await;
    for key in ["id", "match", "retry", "rate"] {
        assert_eq!(found[key], entry[key], "{key}");
    }
    assert_eq!(found["sink"]["url"], entry["sink"]["url"]);
    assert_eq!(found["sink"]["secret"], json!({"env": "OPS_SECRET"}));
    assert_eq!(
        found["sink"]["headers"],
        json!({"X-Team": {"hidden": true}, "X-Token": {"file": "token.txt"}})
    );
    assert!(!found.to_string().contains("a-team-of-the-tests"));
    assert_eq!(
        (&found["origin"], &found["open"]),
        (&json!("api"), &json!(0))
    );
    server.call("route/put", to_bob("any", "*", "*")).await;
    let page = server.call("route/list", json!({"limit": 1})).await;
    assert_eq!(
        page["routes"][0]["sink"],
        json!({"kind": "member", "member": "bob"})
    );
    let rest = json!({"cursor": page["next_cursor"]});
    assert_eq!(
        server.call("route/list", rest).await,
        json!({"routes": [found]})
    );
    // What was hidden can't be put back by mistake.
    let copy = json!({"id": "ops", "match": found["match"], "sink": found["sink"]});
    let refused = server.post("route/put", copy).await;
    assert_eq!(
        (refused.status, &refused.body["field"]),
        (400, &json!("sink"))
    );
    server.call("route/remove", json!({"id": "ops"})).await;
    server
        .refused("route/get", json!({"id": "ops"}), (404, "route.not_found"))
        .await;
    server
        .refused(
            "route/remove",
            json!({"id": "ops"}),
            (404, "route.not_found"),
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_in_a_route_names_its_field() {
    let server = Server::up().await;
    let sink = |sink: Value| json!({"id": "r", "match": {"recipient": "r"}, "sink": sink});
    let cases = [
        (
            sink(json!({"kind": "webhook", "url": "http://127.0.0.1/x"})),
            "definition.sink_private",
        ),
        (
            sink(json!({"kind": "webhook", "url": "https://example.com", "secret": "abc"})),
            "definition.secret_literal",
        ),
        (sink(json!({"kind": "pigeon"})), "definition.choice_unknown"),
    ];
    for (entry, code) in cases {
        let told = server.refused("route/put", entry, (400, code)).await;
        assert_eq!(told["field"], "sink", "{code}");
        assert!(!told.to_string().contains("abc"));
    }
    let missing = json!({"id": "r", "sink": {"kind": "file", "path": "out.jsonl"}});
    server
        .refused("route/put", missing, (400, "definition.key_missing"))
        .await;
}

#[tokio::test(start_paused = true)]
async fn the_route_that_would_take_a_delivery_is_named() {
    let server = Server::up().await;
    for route in [
        to_bob("exact", "ops", "alerts"),
        to_bob("any-channel", "ops", "*"),
        to_bob("any-recipient", "*", "alerts"),
    ] {
        server.call("route/put", route).await;
    }
    let cases = [
        (
            json!({"recipient": "ops", "channel": "alerts"}),
            "exact",
            "member",
        ),
        (
            json!({"recipient": "ops", "channel": "news"}),
            "any-channel",
            "member",
        ),
        (json!({"recipient": "ops"}), "any-channel", "member"),
        (
            json!({"recipient": "desk", "channel": "alerts"}),
            "any-recipient",
            "member",
        ),
        (json!({"recipient": "member:ada"}), "member:ada", "member"),
    ];
    for (params, route, sink) in cases {
        let found = server.call("route/resolve", params.clone()).await;
        assert_eq!(found, json!({"route": route, "sink": sink}), "{params}");
    }
    let none = server
        .call("route/resolve", json!({"recipient": "desk"}))
        .await;
    assert_eq!(
        (none.get("route"), &none["code"]),
        (None, &json!("route.none"))
    );
    assert!(none["reason"].is_string());
}
