//! The transcript of a session.

use crate::kit::Server;
use serde_json::{Value, json};

fn told(history: &Value) -> Vec<(String, String)> {
    let entries = history["entries"].as_array().expect("entries").iter();
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    entries
        .map(|entry| (word(&entry["role"]), word(&entry["text"])))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(role, text)| ((*role).to_owned(), (*text).to_owned()))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_transcript_is_told_in_order_and_pages() {
    let server = Server::up().await;
    for text in ["one", "fail", "two"] {
        server
            .call("member/ask", json!({"to": "ada", "content": text}))
            .await;
        server
            .call("member/ask", json!({"to": "bob", "content": "elsewhere"}))
            .await;
    }
    let whole = server
        .call("member/history", json!({"member": "ada"}))
        .await;
    let reason = whole["entries"][3]["text"]
        .as_str()
        .expect("a reason")
        .to_owned();
    let expected = [
        ("user", "one"),
        ("assistant", "echo: one"),
        ("user", "fail"),
        ("runtime", reason.as_str()),
        ("user", "two"),
        ("assistant", "echo: two"),
    ];
    assert_eq!(told(&whole), pairs(&expected));
    assert_eq!(whole["entries"][0]["from"], "operator:local");
    assert!(whole.get("next_cursor").is_none());

    let (mut paged, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let params = json!({"member": "ada", "limit": 2, "cursor": cursor});
        let page = server.call("member/history", params).await;
        paged.extend(told(&page));
        match page.get("next_cursor") {
            Some(next) => cursor = next.clone(),
            None => break,
        }
    }
    assert_eq!(paged, pairs(&expected));
}

#[tokio::test(start_paused = true)]
async fn a_reset_begins_another_session_and_the_earlier_one_stays_readable() {
    let server = Server::up().await;
    server
        .call("member/ask", json!({"to": "ada", "content": "before"}))
        .await;
    let earlier = server.call("member/get", json!({"member": "ada"})).await["session"].clone();
    server.call("member/reset", json!({"member": "ada"})).await;
    assert_eq!(
        told(
            &server
                .call("member/history", json!({"member": "ada"}))
                .await
        ),
        pairs(&[])
    );
    server
        .call("member/ask", json!({"to": "ada", "content": "after"}))
        .await;
    let now = server
        .call("member/history", json!({"member": "ada"}))
        .await;
    assert_eq!(
        told(&now),
        pairs(&[("user", "after"), ("assistant", "echo: after")])
    );
    let then = json!({"member": "ada", "session": earlier});
    let then = server.call("member/history", then).await;
    assert_eq!(
        told(&then),
        pairs(&[("user", "before"), ("assistant", "echo: before")])
    );
    let foreign = json!({"member": "bob", "session": earlier});
    server
        .refused("member/history", foreign, (404, "session.not_found"))
        .await;
}
