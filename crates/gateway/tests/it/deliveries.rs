//! Deliveries: sending, what came of it, and sending again.

use crate::kit::Server;
use mobkit_domain::event::Event;
use serde_json::{Value, json};

/// A mob with a route over which the payload says what becomes of it: two attempts at most.
async fn up() -> Server {
    let server = Server::up().await;
    for id in ["ops", "desk"] {
        let route = json!({
            "id": id, "match": {"recipient": id},
            "sink": {"kind": "webhook", "url": "https://hooks.example.com/in"},
            "retry": {"attempts": 2, "backoff": ["1s", "4s"]},
        });
        server.call("route/put", route).await;
    }
    server
}

async fn send(server: &Server, recipient: &str, what: &str) -> Value {
    let params = json!({"recipient": recipient, "payload": {"do": what}});
    server.call("delivery/send", params).await["delivery"].clone()
}

fn delivered(event: &Event) -> bool {
    matches!(event, Event::DeliveryDelivered(_))
}

fn dead(event: &Event) -> bool {
    matches!(event, Event::DeliveryDead(_))
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_durable_and_shows_what_came_of_it() {
    let server = up().await;
    let params = json!({"recipient": "ops", "payload": {"text": "hi"}, "key": "once"});
    let sent = server.call("delivery/send", params.clone()).await;
    assert_eq!(sent["delivery"], format!("dlv-{}", sent["seq"]));
    assert_eq!(
        server.call("delivery/send", params).await,
        sent,
        "the key is known"
    );
    server.until_count(1, delivered).await;
    let found = server
        .call("delivery/get", json!({"id": sent["delivery"]}))
        .await;
    let expected = json!({
        "id": sent["delivery"], "route": "ops", "recipient": "ops", "state": "delivered",
        "attempts": [{
            "attempt": 1, "at": "2025-11-22T06:00:00.000Z", "outcome": "delivered", "status": 202,
            "excerpt": "thanks", "took_ms": 0,
        }],
        "queued": "2025-11-22T06:00:00.000Z", "from": found["from"], "payload": {"text": "hi"},
    });
    assert_eq!(found, expected);
    assert!(
        found["from"]
            .as_str()
            .is_some_and(|from| from.starts_with("operator:"))
    );
}

#[tokio::test(start_paused = true)]
async fn every_attempt_of_a_dead_delivery_is_shown_and_it_can_be_sent_again() {
    let server = up().await;
    let id = send(&server, "ops", "fail").await;
    server.until_count(1, dead).await;
    let listed = server.call("delivery/list", json!({"state": "dead"})).await;
    let found = &listed["deliveries"][0];
    assert_eq!((&found["id"], &found["state"]), (&id, &json!("dead")));
    let attempts = found["attempts"].as_array().expect("a list");
    let outcomes: Vec<(&Value, &Value, &Value)> = attempts
        .iter()
        .map(|attempt| (&attempt["attempt"], &attempt["outcome"], &attempt["status"]))
        .collect();
    let failed = json!("failed");
    let status = json!(500);
    assert_eq!(
        outcomes,
        [(&json!(1), &failed, &status), (&json!(2), &failed, &status)]
    );
    assert!(attempts[0]["at"].as_str() < attempts[1]["at"].as_str());
    assert_eq!(attempts[1]["excerpt"], "oops");
    let again = server
        .call("delivery/replay", json!({"delivery": id}))
        .await;
    assert_eq!(again["delivery"], id);
    server.until_count(2, dead).await;
    let found = server.call("delivery/get", json!({"delivery": id})).await;
    assert!(
        found["attempts"]
            .as_array()
            .is_some_and(|attempts| attempts.len() > 2)
    );
}

#[tokio::test(start_paused = true)]
async fn deliveries_are_listed_by_state_route_and_recipient() {
    let server = up().await;
    for what in ["a", "b", "c"] {
        send(&server, "ops", what).await;
        send(&server, "desk", what).await;
    }
    server.until_count(6, delivered).await;
    let list = |params: Value| async { server.call("delivery/list", params).await };
    let all = list(json!({})).await["deliveries"].clone();
    assert_eq!(all.as_array().map(Vec::len), Some(6));
    for by in ["route", "recipient"] {
        let mut found = Vec::new();
        let mut params = json!({by: "ops", "limit": 2, "state": "delivered"});
        loop {
            let page = list(params.clone()).await;
            let deliveries = page["deliveries"].as_array().expect("a list");
            assert!(deliveries.len() <= 2);
            found.extend(deliveries.clone());
            if page["next_cursor"].is_null() {
                break;
            }
            params["cursor"] = page["next_cursor"].clone();
        }
        let of_all = all.as_array().expect("a list").iter();
        let expected: Vec<Value> = of_all.filter(|d| d[by] == "ops").cloned().collect();
        assert_eq!(found, expected, "{by}");
    }
    assert_eq!(
        list(json!({"state": "dead"})).await,
        json!({"deliveries": []})
    );
}

#[tokio::test(start_paused = true)]
async fn what_nobody_takes_and_what_is_not_there_is_refused() {
    let server = up().await;
    let nobody = json!({"recipient": "none", "payload": 1});
    server
        .refused("delivery/send", nobody, (404, "route.none"))
        .await;
    for operation in ["delivery/get", "delivery/replay"] {
        let missing = (404, "delivery.not_found");
        server
            .refused(operation, json!({"id": "dlv-1"}), missing)
            .await;
    }
    let id = send(&server, "ops", "x").await;
    server.until_count(1, delivered).await;
    let replay = server.post("delivery/replay", json!({"id": id})).await;
    assert_eq!(replay.status, 409, "{}", replay.body);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_to_a_member_is_a_message() {
    let server = up().await;
    let id = send(&server, "member:ada", "x").await;
    server.until_count(1, delivered).await;
    let found = server.call("delivery/get", json!({"id": id})).await;
    assert_eq!(
        (&found["route"], &found["state"]),
        (&json!("member:ada"), &json!("delivered"))
    );
    let messages = server.call("message/list", json!({"to": "ada"})).await;
    assert_eq!(messages["messages"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(start_paused = true)]
async fn what_the_rate_of_its_route_holds_back_says_when_its_turn_is() {
    let server = up().await;
    let route = json!({
        "id": "slow", "match": {"recipient": "slow"}, "rate": {"per_minute": 1},
        "sink": {"kind": "webhook", "url": "https://hooks.example.com/in"},
    });
    server.call("route/put", route).await;
    send(&server, "slow", "deliver").await;
    server.until_count(1, delivered).await;
    let held = send(&server, "slow", "deliver").await;
    let shown = server.call("delivery/get", json!({"delivery": held})).await;
    assert_eq!(shown["state"], "queued", "{shown}");
    assert!(shown["retry_at"].is_string(), "{shown}");
}
