//! Messages and turns.

use crate::kit::Server;
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn a_message_is_sent_taken_and_answered() {
    let server = Server::up().await;
    let content = json!({"to": "ada", "content": "hello", "correlation": "c-1"});
    let sent = server.call("member/send", content).await;
    let message = sent["message"].as_str().expect("an id");
    assert_eq!(message, format!("msg-{}", sent["seq"]));
    server
        .call("member/ask", json!({"to": "ada", "content": "and again"}))
        .await;

    let shown = server
        .call("message/get", json!({"message": message}))
        .await;
    let turn = shown["turn"].clone();
    let expected = json!({
        "message": message, "from": "operator:local", "to": "ada", "state": "delivered",
        "accepted": "2025-11-22T06:00:00.000Z", "turn": turn, "correlation": "c-1",
        "text": "hello", "mode": "queue",
    });
    assert_eq!(shown, expected);

    let shown = server.call("turn/get", json!({"turn": turn})).await;
    let expected = json!({
        "turn": turn, "member": "ada", "profile": "worker", "model": "main",
        "status": "completed", "messages": [message], "steps": 1,
        "text": "echo: hello", "tokens": 15, "cost_usd": 0.00002,
        "usage": {"input_tokens": 10, "output_tokens": 5},
        "started": "2025-11-22T06:00:00.000Z", "ended": "2025-11-22T06:00:00.000Z",
    });
    assert_eq!(shown, expected);
    server
        .refused(
            "turn/get",
            json!({"turn": "turn-9999"}),
            (404, "turn.not_found"),
        )
        .await;
    server
        .refused(
            "message/get",
            json!({"message": "msg-1"}),
            (404, "message.not_found"),
        )
        .await;
    server
        .refused("turn/get", json!({"turn": "9"}), (400, "params.invalid"))
        .await;
}

#[tokio::test(start_paused = true)]
async fn lists_are_newest_first_and_page() {
    let server = Server::up().await;
    let mut sent = Vec::new();
    for text in ["one", "two", "three"] {
        let asked = server
            .call("member/ask", json!({"to": "ada", "content": text}))
            .await;
        sent.push(asked["message"].clone());
    }
    server
        .call("member/send", json!({"to": "bob", "content": "hang"}))
        .await;
    let of_ada = json!({"member": "ada", "limit": 2});
    let first = server.call("message/list", of_ada).await;
    let pick = |list: &Value, name: &str| -> Vec<Value> {
        let items = list[name].as_array().expect("a list").iter();
        items.map(|item| item["message"].clone()).collect()
    };
    assert_eq!(pick(&first, "messages"), [sent[2].clone(), sent[1].clone()]);
    let next = json!({"member": "ada", "limit": 2, "cursor": first["next_cursor"]});
    assert_eq!(
        pick(&server.call("message/list", next).await, "messages"),
        [sent[0].clone()]
    );

    let running = server.call("turn/list", json!({"status": "running"})).await;
    assert_eq!(running["turns"][0]["member"], "bob");
    assert_eq!(running["turns"].as_array().map(Vec::len), Some(1));
    let turns = server
        .get("/api/v1/turn/list?member=ada&state=completed&limit=2")
        .await
        .body;
    assert_eq!(turns["turns"][0]["text"], "echo: three");
    assert!(turns["next_cursor"].is_string());
}

#[tokio::test(start_paused = true)]
async fn a_waiting_message_can_be_withdrawn_and_a_running_turn_stopped() {
    let server = Server::up().await;
    server
        .call("member/send", json!({"to": "ada", "content": "hang"}))
        .await;
    let waiting = server
        .call("member/send", json!({"to": "ada", "content": "later"}))
        .await;
    let message = &waiting["message"];
    let withdrawn = server
        .call("message/cancel", json!({"message": message}))
        .await;
    assert_eq!(
        (&withdrawn["state"], &withdrawn["message"]),
        (&json!("cancelled"), message)
    );
    let listed = server
        .call("message/list", json!({"state": "cancelled"}))
        .await;
    assert_eq!(listed["messages"][0]["message"], *message);

    let turn = server.call("member/get", json!({"member": "ada"})).await["turn"].clone();
    let cancelled = server.call("turn/cancel", json!({"turn": turn})).await;
    assert_eq!(cancelled["status"], "cancelled");
    server
        .refused("turn/cancel", json!({"turn": turn}), (404, "turn.not_open"))
        .await;
}

#[tokio::test(start_paused = true)]
async fn parts_become_text_and_long_texts_references() {
    let server = Server::up().await;
    let parts = json!([{"type": "text", "text": "look:"}, {"type": "data", "data": {"a": [1, 2]}}]);
    let sent = server
        .call("member/send", json!({"to": "cid", "content": parts}))
        .await;
    let shown = server
        .call("message/get", json!({"message": sent["message"]}))
        .await;
    assert_eq!(shown["text"], "look:\n{\"a\":[1,2]}");
    assert_eq!(shown["parts"], parts);

    let long = "word ".repeat(20_000);
    let asked = server
        .call("member/ask", json!({"to": "bob", "content": long}))
        .await;
    assert_eq!(asked["text"].as_str().map(str::len), Some(100_000));
    let shown = server
        .call("message/get", json!({"message": asked["message"]}))
        .await;
    assert_eq!(shown["text"], long);
    let listed = server.call("turn/list", json!({"member": "bob"})).await;
    assert_eq!(listed["turns"][0]["text"]["bytes"], 100_000);
    for event in server.journal().await {
        let event = event.to_wire().to_string();
        assert!(event.len() < 34_000, "{} bytes in an event", event.len());
    }
}

#[tokio::test(start_paused = true)]
async fn content_that_says_nothing_or_is_not_taken_is_refused() {
    let server = Server::up().await;
    let before = server.journal().await.len();
    let check = async |content: Value, code: &str| {
        let params = json!({"to": "ada", "content": content});
        server.refused("member/send", params, (400, code)).await;
    };
    check(json!("  "), "message.empty").await;
    check(json!([]), "message.empty").await;
    check(json!(7), "message.content_malformed").await;
    check(json!([7]), "message.content_malformed").await;
    check(json!([{"type": "text"}]), "message.content_malformed").await;
    check(
        json!([{"type": "text", "text": "a", "b": 1}]),
        "message.content_malformed",
    )
    .await;
    check(
        json!([{"type": "song", "song": "a"}]),
        "message.content_malformed",
    )
    .await;
    check(
        json!([{"type": "image", "url": "a"}]),
        "message.content_malformed",
    )
    .await;
    let nobody = json!({"to": "eve", "content": "hello"});
    server
        .refused("member/send", nobody, (404, "member.not_found"))
        .await;
    let past = json!({"to": "ada", "content": "x", "expires": "2001-01-01T00:00:00Z"});
    server
        .refused("member/send", past, (400, "message.expired"))
        .await;
    assert_eq!(server.journal().await.len(), before);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_says_when_to_come_back() {
    let server = Server::up().await;
    let hang = json!({"to": "ada", "content": "hang"});
    for _ in 0..6 {
        server.call("member/send", hang.clone()).await;
    }
    let answer = server.post("member/send", hang).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.body["code"], "member.busy");
    assert_eq!(answer.header("retry-after"), "1");
    server
        .call("member/send", json!({"to": "bob", "content": "hello"}))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_waits_too_long_is_dropped_and_says_so() {
    let server = Server::up().await;
    let hang = json!({"to": "ada", "content": "hang"});
    server.call("member/send", hang).await;
    let late = json!({"to": "ada", "content": "now or never", "expires": "2025-11-22T06:00:30Z"});
    let answer = server.call("member/ask", late).await;
    assert_eq!(
        (&answer["status"], &answer["text"]),
        (&json!("expired"), &Value::Null)
    );
    assert_eq!(answer["turn"], Value::Null);
    let message = json!({"message": answer["message"]});
    assert_eq!(
        server.call("message/get", message).await["state"],
        "expired"
    );
}
