//! Models that speak OpenAI's chat completions.

use crate::chat_server::{Caller, KEY, Script, asked, chunk, finish, with_tools};
use mobkit_agents::model::{Delta, Item, ModelProvider, RemoteProvider};
use mobkit_domain::id::CallId;
use mobkit_domain::model::{CallRequest, Finish, Usage};
use serde_json::{Value, json};

fn usage() -> Value {
    let details = json!({ "cached_tokens": 4 });
    json!({ "choices": [], "usage": {
        "prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14,
        "prompt_tokens_details": details,
    } })
}

/// A call in several fragments, as OpenAI sends it.
fn call_fragments(index: u32, id: &str, name: &str, args: [&str; 2]) -> [Value; 3] {
    let begin = json!({ "index": index, "id": id, "type": "function",
        "function": { "name": name, "arguments": "" } });
    let more = |args: &str| json!({ "index": index, "function": { "arguments": args } });
    [begin, more(args[0]), more(args[1])].map(|call| chunk(&json!({ "tool_calls": [call] })))
}

#[tokio::test]
async fn text_is_streamed_and_usage_is_counted() {
    let script = Script::whole(&[
        chunk(&json!({ "role": "assistant", "content": "" })),
        chunk(&json!({ "content": "Good " })),
        chunk(&json!({ "content": "day — ☀" })),
        finish("stop"),
        usage(),
    ]);
    let outcome = Caller::default().call(asked("hello"), script).await;
    let reply = outcome.result.expect("a reply");
    assert_eq!(reply.text.inline(), Some("Good day — ☀"));
    assert_eq!(reply.finish, Finish::Stop);
    let expected = Usage {
        input_tokens: 11,
        output_tokens: 3,
        cached_input_tokens: 4,
        ..Usage::default()
    };
    assert_eq!(reply.usage, expected);
    let said = ["Good ", "day — ☀"].map(|text| Delta::Text(text.to_owned()));
    assert_eq!(outcome.deltas, said);
}

#[tokio::test]
async fn the_request_says_what_was_asked() {
    let script = Script::whole(&[chunk(&json!({ "content": "ok" })), finish("stop")]);
    let outcome = Caller::default().call(asked("hello"), script).await;
    let head = outcome.got.head;
    assert!(
        head.starts_with("POST /v1/chat/completions HTTP/1.1"),
        "{head}"
    );
    assert!(
        head.contains(&format!("authorization: Bearer {KEY}")),
        "{head}"
    );
    let body = outcome.got.body;
    assert_eq!(body["model"], "small");
    assert_eq!(body["stream"], true);
    assert_eq!(body["stream_options"], json!({ "include_usage": true }));
    let messages = json!([
        { "role": "system", "content": "You report." },
        { "role": "user", "content": "hello" },
    ]);
    assert_eq!(body["messages"], messages);
    assert_eq!(body.get("tools"), None);
}

#[tokio::test]
async fn a_server_without_keys_gets_none() {
    let caller = Caller {
        key: None,
        ..Caller::default()
    };
    let script = Script::whole(&[chunk(&json!({ "content": "ok" })), finish("stop")]);
    let outcome = caller.call(asked("hello"), script).await;
    assert!(outcome.result.is_ok());
    assert!(!outcome.got.head.to_lowercase().contains("authorization"));
}

#[tokio::test]
async fn the_name_of_the_model_is_sent_as_it_is_written() {
    for model in ["qwen-max", "openai/gpt-oss-20b", "a::b", "llama3:8b"] {
        let caller = Caller {
            model,
            ..Caller::default()
        };
        let script = Script::whole(&[chunk(&json!({ "content": "ok" })), finish("stop")]);
        let body = caller.call(asked("hello"), script).await.got.body;
        assert_eq!(body["model"], model);
        assert_eq!(body.get("reasoning_effort"), None, "{model}");
    }
}

#[tokio::test]
async fn calls_come_together_from_their_fragments() {
    let mut events = vec![chunk(&json!({ "content": "Let me see." }))];
    events.extend(call_fragments(
        0,
        "call_a",
        "module_search_fetch",
        ["{\"q\": \"qu", "ake\"}"],
    ));
    events.extend(call_fragments(1, "call_b", "peers", ["", ""]));
    events.push(finish("tool_calls"));
    let request = with_tools(asked("hello"), &["module:search/fetch", "peers"]);
    let outcome = Caller::default()
        .call(request, Script::whole(&events))
        .await;
    let reply = outcome.result.expect("a reply");
    assert_eq!(reply.text.inline(), Some("Let me see."));
    let call = |tool: &str, args: Value, id: &str| {
        let (tool, provider_id) = (tool.to_owned(), Some(id.to_owned()));
        CallRequest {
            tool,
            args,
            provider_id,
        }
    };
    let fetch = call("module:search/fetch", json!({ "q": "quake" }), "call_a");
    assert_eq!(reply.calls, [fetch, call("peers", json!({}), "call_b")]);
    assert_eq!(reply.finish, Finish::Calls);
    let tool = &outcome.got.body["tools"][0]["function"];
    assert_eq!(tool["name"], "module_search_fetch");
    assert_eq!(tool["description"], "Does module:search/fetch");
    assert_eq!(tool["parameters"]["properties"]["q"]["type"], "string");
}

#[tokio::test]
async fn calls_counted_from_one_are_not_doubled() {
    let mut events = call_fragments(1, "call_a", "peers", ["{", "}"]).to_vec();
    events.push(finish("tool_calls"));
    let outcome = Caller::default()
        .call(asked("hello"), Script::whole(&events))
        .await;
    let calls = outcome.result.expect("a reply").calls;
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].args, json!({}));
}

#[tokio::test]
async fn calls_and_results_go_back_under_the_ids_of_the_provider() {
    let call = |index| CallId { reply: 7, index };
    let asked_for = |tool: &str, id: &str| CallRequest {
        tool: tool.to_owned(),
        args: json!({ "q": "quake" }),
        provider_id: Some(id.to_owned()),
    };
    let result = |index, tool: &str, result: &str, failed| Item::ToolResult {
        call: call(index),
        tool: tool.to_owned(),
        result: result.to_owned(),
        failed,
    };
    let mut request = asked("hello");
    request.items.push(Item::Assistant {
        text: String::new(),
        calls: vec![
            (call(1), asked_for("module:search/fetch", "call_a")),
            (call(2), asked_for("peers", "id of another provider")),
        ],
        carry: None,
    });
    request
        .items
        .push(result(1, "module:search/fetch", "found 3", false));
    request.items.push(result(2, "peers", "no peers", true));
    request.items.push(Item::User {
        text: "and?".to_owned(),
        from: "agent:desk".to_owned(),
        pieces: Vec::new(),
    });
    let script = Script::whole(&[chunk(&json!({ "content": "ok" })), finish("stop")]);
    let body = Caller::default().call(request, script).await.got.body;
    let messages = body["messages"].as_array().expect("messages");
    let function = |name: &str| json!({ "name": name, "arguments": "{\"q\":\"quake\"}" });
    let calls = json!([
        { "type": "function", "id": "call_a", "function": function("module_search_fetch") },
        { "type": "function", "id": "call-7-2", "function": function("peers") },
    ]);
    assert_eq!(messages[2]["tool_calls"], calls);
    assert_eq!(messages[3]["tool_call_id"], "call_a");
    assert_eq!(messages[3]["content"], "found 3");
    assert_eq!(messages[4]["tool_call_id"], "call-7-2");
    assert_eq!(messages[4]["content"], "The call failed: no peers");
    assert_eq!(messages[5]["content"], "Message from desk:\nand?");
}

#[tokio::test]
async fn reasoning_is_shown_and_goes_back_to_its_own_model_only() {
    let mut events = vec![chunk(&json!({ "reasoning_content": "Which peers?" }))];
    events.extend(call_fragments(0, "call_a", "peers", ["{", "}"]));
    events.push(finish("tool_calls"));
    let outcome = Caller::default()
        .call(asked("hello"), Script::whole(&events))
        .await;
    assert_eq!(
        outcome.deltas,
        [Delta::Reasoning("Which peers?".to_owned())]
    );
    let reply = outcome.result.expect("a reply");
    assert_eq!(reply.text.inline(), Some(""));
    assert!(reply.carry.is_some());
    for (model, expected) in [("small", json!("Which peers?")), ("large", Value::Null)] {
        let calls = vec![(CallId { reply: 7, index: 1 }, reply.calls[0].clone())];
        let mut request = asked("hello");
        let carry = reply.carry.clone();
        request.items.push(Item::Assistant {
            text: String::new(),
            calls,
            carry,
        });
        let script = Script::whole(&[chunk(&json!({ "content": "ok" })), finish("stop")]);
        let caller = Caller {
            model,
            ..Caller::default()
        };
        let body = caller.call(request, script).await.got.body;
        assert_eq!(body["messages"][2]["reasoning_content"], expected);
    }
}

#[tokio::test]
async fn an_answer_at_its_limit_says_so() {
    for (reason, expected) in [
        ("length", Finish::Length),
        ("content_filter", Finish::Filtered),
    ] {
        let script = Script::whole(&[chunk(&json!({ "content": "Good" })), finish(reason)]);
        let outcome = Caller::default().call(asked("hello"), script).await;
        assert_eq!(outcome.result.map(|reply| reply.finish), Ok(expected));
    }
}

#[test]
fn a_model_is_described_without_secrets() {
    let caller = Caller {
        provider: RemoteProvider::OpenAi,
        model: "gpt-5.6",
        ..Caller::default()
    };
    let model = caller.model_at("https://ada:pw@proxy.test/v1?code=x");
    assert_eq!(model.describe(), "openai gpt-5.6 at https://proxy.test/v1");
    let debug = format!("{model:?}");
    assert!(!debug.contains(KEY) && !debug.contains("pw@"), "{debug}");
}
