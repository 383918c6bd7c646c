//! Models that speak Anthropic's or Google's protocol.

use crate::chat_server::{Caller, End, KEY, Outcome, Script, asked};
use mobkit_agents::model::{Delta, Item, RemoteProvider};
use mobkit_domain::id::CallId;
use mobkit_domain::model::{FailureClass, Finish, Usage};
use serde_json::{Value, json};

fn anthropic() -> Caller {
    let provider = RemoteProvider::Anthropic;
    Caller {
        provider,
        model: "claude-sonnet-5",
        ..Caller::default()
    }
}

fn gemini() -> Caller {
    Caller {
        provider: RemoteProvider::Gemini,
        model: "gemini-3-flash",
        ..Caller::default()
    }
}

/// An answer of Anthropic's that thinks, says something and calls a tool.
fn anthropic_events() -> Vec<Value> {
    let start = |index: u32, block: Value| json!({ "type": "content_block_start", "index": index, "content_block": block });
    let delta = |index: u32, delta: Value| json!({ "type": "content_block_delta", "index": index, "delta": delta });
    let stop = |index: u32| json!({ "type": "content_block_stop", "index": index });
    vec![
        json!({ "type": "message_start", "message": { "usage": { "input_tokens": 9, "output_tokens": 1 } } }),
        start(0, json!({ "type": "thinking", "thinking": "" })),
        delta(0, json!({ "type": "thinking_delta", "thinking": "Hm." })),
        delta(0, json!({ "type": "signature_delta", "signature": "c2ln" })),
        stop(0),
        start(1, json!({ "type": "text", "text": "" })),
        delta(1, json!({ "type": "text_delta", "text": "Let me see." })),
        stop(1),
        start(
            2,
            json!({ "type": "tool_use", "id": "toolu_1", "name": "peers", "input": {} }),
        ),
        delta(
            2,
            json!({ "type": "input_json_delta", "partial_json": "{\"q\":" }),
        ),
        delta(
            2,
            json!({ "type": "input_json_delta", "partial_json": "1}" }),
        ),
        stop(2),
        json!({ "type": "message_delta", "delta": { "stop_reason": "tool_use" }, "usage": { "output_tokens": 6 } }),
        json!({ "type": "message_stop" }),
    ]
}

#[tokio::test]
async fn anthropic_answers_with_text_and_calls() {
    let outcome = anthropic()
        .call(asked("hello"), Script::named_events(&anthropic_events()))
        .await;
    let Outcome {
        result,
        deltas,
        got,
    } = outcome;
    let reply = result.expect("a reply");
    assert_eq!(reply.text.inline(), Some("Let me see."));
    assert_eq!((reply.calls.len(), reply.finish), (1, Finish::Calls));
    assert_eq!(
        (reply.calls[0].tool.as_str(), &reply.calls[0].args),
        ("peers", &json!({ "q": 1 }))
    );
    assert_eq!(
        reply.usage,
        Usage {
            input_tokens: 9,
            output_tokens: 6,
            cached_input_tokens: 0
        }
    );
    assert_eq!(deltas[0], Delta::Reasoning("Hm.".to_owned()));
    assert!(
        got.head.starts_with("POST /v1/messages HTTP/1.1"),
        "{}",
        got.head
    );
    assert!(
        got.head.contains(&format!("x-api-key: {KEY}")),
        "{}",
        got.head
    );
    assert_eq!(got.body["model"], "claude-sonnet-5");
}

#[tokio::test]
async fn anthropic_gets_its_signed_thoughts_back() {
    let script = Script::named_events(&anthropic_events());
    let reply = anthropic()
        .call(asked("hello"), script)
        .await
        .result
        .expect("a reply");
    let call = CallId { reply: 7, index: 1 };
    let mut request = asked("hello");
    request.items.push(Item::Assistant {
        text: "Let me see.".to_owned(),
        calls: vec![(call, reply.calls[0].clone())],
        carry: reply.carry,
    });
    let (tool, result) = ("peers".to_owned(), "none".to_owned());
    request.items.push(Item::ToolResult {
        call,
        tool,
        result,
        failed: false,
    });
    let body = anthropic()
        .call(request, Script::named_events(&anthropic_events()))
        .await
        .got
        .body;
    let answer = &body["messages"][1]["content"];
    let thought = json!({ "type": "thinking", "thinking": "Hm.", "signature": "c2ln" });
    assert_eq!(answer[0], thought);
    assert_eq!(answer[2]["id"], "toolu_1");
    assert_eq!(body["messages"][2]["content"][0]["tool_use_id"], "toolu_1");
}

#[tokio::test]
async fn anthropic_cut_in_the_middle_is_a_cut() {
    let events = anthropic_events();
    for end in [End::Clean, End::Drop] {
        let script = Script::named_events(&events[..7]).end(end);
        let result = anthropic().call(asked("hello"), script).await.result;
        assert_eq!(
            result.map_err(|failure| failure.class),
            Err(FailureClass::Cut)
        );
    }
}

fn gemini_part(part: &Value, finish: Option<&str>) -> Value {
    json!({
        "candidates": [{ "content": { "parts": [part], "role": "model" }, "finishReason": finish }],
        "usageMetadata": { "promptTokenCount": 9, "candidatesTokenCount": 6, "totalTokenCount": 15 },
    })
}

#[tokio::test]
async fn gemini_answers_with_text() {
    let events = [
        gemini_part(&json!({ "text": "Good " }), None),
        gemini_part(&json!({ "text": "day" }), Some("STOP")),
    ];
    let Outcome { result, got, .. } = gemini().call(asked("hello"), Script::events(&events)).await;
    let reply = result.expect("a reply");
    assert_eq!(
        (reply.text.inline(), reply.finish),
        (Some("Good day"), Finish::Stop)
    );
    assert_eq!(reply.usage.input_tokens, 9);
    let path = "POST /v1/models/gemini-3-flash:streamGenerateContent";
    assert!(got.head.starts_with(path), "{}", got.head);
    assert!(
        got.head.contains(&format!("x-goog-api-key: {KEY}")),
        "{}",
        got.head
    );
}

#[tokio::test]
async fn gemini_without_a_reason_to_stop_is_a_cut() {
    for end in [End::Clean, End::Drop] {
        let events = [gemini_part(&json!({ "text": "Good " }), None)];
        let script = Script::events(&events).end(end);
        let result = gemini().call(asked("hello"), script).await.result;
        assert_eq!(
            result.map_err(|failure| failure.class),
            Err(FailureClass::Cut)
        );
    }
}
