//! Models that speak Anthropic's messages.

use crate::chat_server::{Caller, KEY, Outcome, Script, after, asked, with_tools};
use mobkit_agents::model::Delta;
use mobkit_domain::model::{Finish, Usage};
use serde_json::{Value, json};

fn start(index: u32, block: &Value) -> Value {
    json!({ "type": "content_block_start", "index": index, "content_block": block })
}

fn delta(index: u32, delta: &Value) -> Value {
    json!({ "type": "content_block_delta", "index": index, "delta": delta })
}

fn stop(index: u32) -> Value {
    json!({ "type": "content_block_stop", "index": index })
}

fn begins(usage: &Value) -> Value {
    json!({ "type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "content": [], "usage": usage,
    } })
}

fn ends(reason: &str) -> [Value; 2] {
    [
        json!({ "type": "message_delta", "delta": { "stop_reason": reason },
            "usage": { "output_tokens": 6 } }),
        json!({ "type": "message_stop" }),
    ]
}

fn text(index: u32, pieces: &[&str]) -> Vec<Value> {
    let mut events = vec![start(index, &json!({ "type": "text", "text": "" }))];
    let piece = |text: &&str| delta(index, &json!({ "type": "text_delta", "text": text }));
    events.extend(pieces.iter().map(piece));
    events.push(stop(index));
    events
}

fn call(index: u32, id: &str, name: &str, pieces: &[&str]) -> Vec<Value> {
    let block = json!({ "type": "tool_use", "id": id, "name": name, "input": {} });
    let mut events = vec![start(index, &block)];
    let piece = |json: &&str| {
        delta(
            index,
            &json!({ "type": "input_json_delta", "partial_json": json }),
        )
    };
    events.extend(pieces.iter().map(piece));
    events.push(stop(index));
    events
}

fn thought(index: u32, text: &str, signature: [&str; 2]) -> Vec<Value> {
    vec![
        start(index, &json!({ "type": "thinking", "thinking": "" })),
        delta(
            index,
            &json!({ "type": "thinking_delta", "thinking": text }),
        ),
        delta(
            index,
            &json!({ "type": "signature_delta", "signature": signature[0] }),
        ),
        delta(
            index,
            &json!({ "type": "signature_delta", "signature": signature[1] }),
        ),
        stop(index),
    ]
}

/// An answer that thinks twice, once behind a veil, says something and calls two tools.
fn thoughtful() -> Script {
    let hidden = json!({ "type": "redacted_thinking", "data": "aGlkZGVu" });
    let usage = json!({ "input_tokens": 9, "output_tokens": 1 });
    let mut events = vec![begins(&usage), json!({ "type": "ping" })];
    events.extend(thought(0, "Hm.", ["c2l", "n"]));
    events.extend([start(1, &hidden), stop(1)]);
    events.extend(thought(2, "Peers?", ["bW9", "y"]));
    events.extend(text(3, &["Let me ", "see."]));
    events.extend(call(4, "toolu_1", "peers", &["{\"q\"", ":", "1}"]));
    events.extend(call(5, "toolu_2", "module_search_fetch", &[""]));
    events.extend(ends("tool_use"));
    Script::named_events(&events)
}

fn said(events: Vec<Value>, reason: &str) -> Script {
    let mut all = vec![begins(&json!({ "input_tokens": 9, "output_tokens": 1 }))];
    all.extend(events);
    all.extend(ends(reason));
    Script::named_events(&all)
}

#[tokio::test]
async fn anthropic_answers_with_text_and_calls_in_fragments() {
    let request = with_tools(asked("hello"), &["peers", "module:search/fetch"]);
    let Outcome {
        result,
        deltas,
        got,
    } = Caller::anthropic().call(request, thoughtful()).await;
    let reply = result.expect("a reply");
    assert_eq!(reply.text.inline(), Some("Let me see."));
    assert_eq!(reply.finish, Finish::Calls);
    let calls = reply.calls.iter().map(|call| {
        let id = call.provider_id.as_deref();
        (call.tool.as_str(), call.args.clone(), id)
    });
    let expected = [
        ("peers", json!({ "q": 1 }), Some("toolu_1")),
        ("module:search/fetch", json!({}), Some("toolu_2")),
    ];
    assert_eq!(calls.collect::<Vec<_>>(), expected);
    let usage = Usage {
        input_tokens: 9,
        output_tokens: 6,
        ..Usage::default()
    };
    assert_eq!(reply.usage, usage);
    let thoughts = ["Hm.", "Peers?"].map(|text| Delta::Reasoning(text.to_owned()));
    let spoken = ["Let me ", "see."].map(|text| Delta::Text(text.to_owned()));
    assert_eq!(deltas, [thoughts, spoken].concat());
    let head = &got.head;
    assert!(head.starts_with("POST /v1/messages HTTP/1.1"), "{head}");
    assert!(head.contains(&format!("x-api-key: {KEY}")), "{head}");
    assert!(head.contains("anthropic-version: "), "{head}");
}

#[tokio::test]
async fn the_request_to_anthropic_says_what_was_asked() {
    let request = with_tools(asked("hello"), &["module:search/fetch"]);
    let script = said(text(0, &["ok"]), "end_turn");
    let body = Caller::anthropic().call(request, script).await.got.body;
    assert_eq!(body["model"], "claude-sonnet-5");
    assert_eq!(body["stream"], true);
    assert!(body["max_tokens"].as_u64() > Some(0), "{body}");
    let cached = json!([{ "type": "text", "text": "You report.",
        "cache_control": { "type": "ephemeral" } }]);
    assert_eq!(body["system"], cached);
    assert_eq!(
        body["messages"],
        json!([{ "role": "user", "content": "hello" }])
    );
    let tool = &body["tools"][0];
    assert_eq!(tool["name"], "module_search_fetch");
    assert_eq!(tool["input_schema"]["properties"]["q"]["type"], "string");
}

#[tokio::test]
async fn anthropic_gets_its_thoughts_back_unchanged_and_in_their_order() {
    let outcome = Caller::anthropic().call(asked("hello"), thoughtful()).await;
    let reply = outcome.result.expect("a reply");
    let request = after(asked("hello"), &reply);
    let outcome = Caller::anthropic().call(request, thoughtful()).await;
    let body = outcome.got.body;
    let answer = &body["messages"][1]["content"];
    let thoughts = json!([
        { "type": "thinking", "thinking": "Hm.", "signature": "c2ln" },
        { "type": "redacted_thinking", "data": "aGlkZGVu" },
        { "type": "thinking", "thinking": "Peers?", "signature": "bW9y" },
        { "type": "text", "text": "Let me see." },
    ]);
    for (i, thought) in thoughts.as_array().expect("a list").iter().enumerate() {
        assert_eq!(&answer[i], thought, "{body}");
    }
    assert_eq!(answer[4]["id"], "toolu_1");
    assert_eq!(answer[4]["input"], json!({ "q": 1 }));
    let results = &body["messages"][2]["content"];
    assert_eq!(results[0]["tool_use_id"], "toolu_1");
    assert_eq!(results[1]["tool_use_id"], "toolu_2");
}

#[tokio::test]
async fn another_model_does_not_get_thoughts_that_it_can_not_read() {
    let outcome = Caller::anthropic().call(asked("hello"), thoughtful()).await;
    let reply = outcome.result.expect("a reply");
    let other = Caller {
        model: "claude-haiku-5",
        ..Caller::anthropic()
    };
    let outcome = other
        .call(after(asked("hello"), &reply), thoughtful())
        .await;
    let body = outcome.got.body.to_string();
    for secret in ["c2ln", "aGlkZGVu", "redacted_thinking"] {
        assert!(!body.contains(secret), "{body}");
    }
    assert!(body.contains("toolu_1"), "{body}");
}

#[tokio::test]
async fn what_anthropic_reads_from_its_cache_and_writes_to_it_is_counted() {
    let usage = json!({
        "input_tokens": 9, "output_tokens": 1,
        "cache_creation_input_tokens": 100, "cache_read_input_tokens": 30,
    });
    let mut events = vec![begins(&usage)];
    events.extend(text(0, &["ok"]));
    events.extend(ends("end_turn"));
    let script = Script::named_events(&events);
    let outcome = Caller::anthropic().call(asked("hello"), script).await;
    let expected = Usage {
        input_tokens: 139,
        output_tokens: 6,
        cached_input_tokens: 30,
        cache_creation_input_tokens: 100,
    };
    assert_eq!(outcome.result.map(|reply| reply.usage), Ok(expected));
}

#[tokio::test]
async fn why_anthropic_stopped_is_told() {
    let cases = [
        (text(0, &["Good"]), "end_turn", "Good", Finish::Stop),
        (text(0, &["Good"]), "max_tokens", "Good", Finish::Length),
        (text(0, &["I"]), "refusal", "I", Finish::Filtered),
        (text(0, &["x"]), "pause_turn", "x", Finish::Other),
        (Vec::new(), "end_turn", "", Finish::Stop),
        (Vec::new(), "refusal", "", Finish::Filtered),
    ];
    for (events, reason, expected, finish) in cases {
        let script = said(events, reason);
        let outcome = Caller::anthropic().call(asked("hello"), script).await;
        let reply = outcome.result.expect("a reply");
        assert_eq!(
            (reply.text.inline(), reply.finish),
            (Some(expected), finish),
            "{reason}"
        );
        assert_eq!(reply.carry, None);
    }
}
