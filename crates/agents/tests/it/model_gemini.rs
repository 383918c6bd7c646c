//! Models that speak Gemini's streamGenerateContent.

use crate::chat_server::{Caller, KEY, Outcome, Script, after, asked, with_tools};
use mobkit_agents::model::Delta;
use mobkit_domain::model::{Finish, Usage};
use serde_json::{Value, json};

fn chunk(parts: &Value, finish: Option<&str>) -> Value {
    json!({
        "candidates": [{ "content": { "parts": parts, "role": "model" }, "finishReason": finish }],
        "usageMetadata": {
            "promptTokenCount": 9, "cachedContentTokenCount": 4,
            "candidatesTokenCount": 6, "thoughtsTokenCount": 3, "totalTokenCount": 18,
        },
    })
}

fn calling(name: &str, args: &Value) -> Value {
    json!({ "functionCall": { "name": name, "args": args } })
}

fn signed(mut part: Value, signature: &str) -> Value {
    part["thoughtSignature"] = signature.into();
    part
}

/// An answer that thinks, says something signed, and calls one tool twice and another one.
fn thoughtful() -> Script {
    let first = signed(calling("peers", &json!({ "q": 1 })), "c2ln");
    Script::events(&[
        chunk(&json!([{ "text": "Hm.", "thought": true }]), None),
        chunk(&json!([{ "text": "Let me see." }]), None),
        chunk(&json!([first, calling("peers", &json!({ "q": 2 }))]), None),
        chunk(
            &json!([signed(calling("module_search_fetch", &json!({})), "bW9y")]),
            None,
        ),
        chunk(&json!([{ "text": "" }]), Some("STOP")),
    ])
}

#[tokio::test]
async fn gemini_answers_with_text() {
    let events = [
        chunk(&json!([{ "text": "Good " }]), None),
        chunk(&json!([{ "text": "day" }]), Some("STOP")),
    ];
    let script = Script::events(&events);
    let outcome = Caller::gemini().call(asked("hello"), script).await;
    let Outcome {
        result,
        deltas,
        got,
    } = outcome;
    let reply = result.expect("a reply");
    assert_eq!(
        (reply.text.inline(), reply.finish),
        (Some("Good day"), Finish::Stop)
    );
    // Thoughts are not among the tokens of the candidates, and are paid as they are.
    let usage = Usage {
        input_tokens: 9,
        output_tokens: 9,
        cached_input_tokens: 4,
        ..Usage::default()
    };
    assert_eq!(reply.usage, usage);
    let said = ["Good ", "day"].map(|text| Delta::Text(text.to_owned()));
    assert_eq!(deltas, said);
    let path = "POST /v1/models/gemini-3-flash:streamGenerateContent?alt=sse ";
    assert!(got.head.starts_with(path), "{}", got.head);
    let key = format!("x-goog-api-key: {KEY}");
    assert!(got.head.contains(&key), "{}", got.head);
}

#[tokio::test]
async fn every_call_of_gemini_arrives_once() {
    let request = with_tools(asked("hello"), &["peers", "module:search/fetch"]);
    let outcome = Caller::gemini().call(request, thoughtful()).await;
    let reply = outcome.result.expect("a reply");
    assert_eq!(reply.finish, Finish::Calls);
    let calls = reply.calls.iter();
    let calls: Vec<_> = calls.map(|c| (c.tool.as_str(), c.args.clone())).collect();
    let expected = [
        ("peers", json!({ "q": 1 })),
        ("peers", json!({ "q": 2 })),
        ("module:search/fetch", json!({})),
    ];
    assert_eq!(calls, expected);
    let said = [
        Delta::Reasoning("Hm.".to_owned()),
        Delta::Text("Let me see.".to_owned()),
    ];
    assert_eq!(outcome.deltas, said);
    let body = outcome.got.body;
    let declared = &body["tools"][0]["functionDeclarations"];
    assert_eq!(declared[1]["name"], "module_search_fetch", "{body}");
    let thoughts = &body["generationConfig"]["thinkingConfig"]["includeThoughts"];
    assert_eq!(thoughts, true);
}

#[tokio::test]
async fn the_same_call_in_two_pieces_of_the_answer_is_made_twice() {
    let piece = || chunk(&json!([calling("peers", &json!({}))]), None);
    let events = [
        piece(),
        piece(),
        chunk(&json!([{ "text": "" }]), Some("STOP")),
    ];
    let script = Script::events(&events);
    let outcome = Caller::gemini().call(asked("hello"), script).await;
    assert_eq!(outcome.result.map(|reply| reply.calls.len()), Ok(2));
}

#[tokio::test]
async fn gemini_gets_the_signature_of_each_call_back_with_that_call() {
    let outcome = Caller::gemini().call(asked("hello"), thoughtful()).await;
    let reply = outcome.result.expect("a reply");
    let request = after(asked("hello"), &reply);
    let body = Caller::gemini().call(request, thoughtful()).await.got.body;
    let parts = &body["contents"][1]["parts"];
    assert_eq!(parts[0], json!({ "text": "Let me see." }), "{body}");
    let call = |at: usize| {
        let part = &parts[at];
        (
            part["functionCall"]["name"].as_str(),
            part["functionCall"]["args"].clone(),
            part["thoughtSignature"].as_str(),
        )
    };
    assert_eq!(call(1), (Some("peers"), json!({ "q": 1 }), Some("c2ln")));
    assert_eq!(call(2), (Some("peers"), json!({ "q": 2 }), None));
    assert_eq!(
        call(3),
        (Some("module_search_fetch"), json!({}), Some("bW9y"))
    );
    let results = &body["contents"][2]["parts"];
    for (at, name) in [(0, "peers"), (1, "peers"), (2, "module_search_fetch")] {
        let result = &results[at]["functionResponse"];
        assert_eq!(result["name"], name, "{body}");
        assert_eq!(result["id"], parts[at + 1]["functionCall"]["id"]);
    }
}

#[tokio::test]
async fn a_signed_text_keeps_its_signature() {
    let text = signed(json!({ "text": "Let me see." }), "dGV4dA");
    let events = [
        chunk(&json!([text]), None),
        chunk(&json!([calling("peers", &json!({}))]), Some("STOP")),
    ];
    let outcome = Caller::gemini()
        .call(asked("hello"), Script::events(&events))
        .await;
    let request = after(asked("hello"), &outcome.result.expect("a reply"));
    let script = Script::events(&events);
    let body = Caller::gemini().call(request, script).await.got.body;
    let parts = &body["contents"][1]["parts"];
    assert_eq!(parts[0]["thoughtSignature"], "dGV4dA", "{body}");
    assert_ne!(parts[1]["thoughtSignature"], "dGV4dA", "{body}");
}

#[tokio::test]
async fn why_gemini_stopped_is_told() {
    let cases = [
        ("MAX_TOKENS", Finish::Length),
        ("SAFETY", Finish::Filtered),
        ("MALFORMED_FUNCTION_CALL", Finish::Other),
    ];
    for (reason, finish) in cases {
        let events = [chunk(&json!([{ "text": "Go" }]), Some(reason))];
        let script = Script::events(&events);
        let outcome = Caller::gemini().call(asked("hello"), script).await;
        let result = outcome.result.map(|reply| reply.finish);
        assert_eq!(result, Ok(finish), "{reason}");
    }
}

#[tokio::test]
async fn an_empty_answer_of_gemini_is_an_answer() {
    let event = json!({ "candidates": [{ "finishReason": "STOP" }] });
    let script = Script::events(&[event]);
    let outcome = Caller::gemini().call(asked("hello"), script).await;
    let reply = outcome.result.expect("a reply");
    assert_eq!(
        (reply.text.inline(), reply.finish),
        (Some(""), Finish::Stop)
    );
}

#[tokio::test]
async fn a_question_that_gemini_does_not_answer_is_withheld_and_not_asked_again() {
    let event = json!({ "promptFeedback": { "blockReason": "PROHIBITED_CONTENT" } });
    let script = Script::events(&[event]);
    let outcome = Caller::gemini().call(asked("hello"), script).await;
    let reply = outcome.result.expect("an answer of nothing");
    assert_eq!(
        (reply.text.inline(), reply.finish),
        (Some(""), Finish::Filtered)
    );
}

#[tokio::test]
async fn models_that_can_not_think_are_not_asked_for_thoughts() {
    for model in ["gemma-4-27b", "gemini-2.0-flash"] {
        let caller = Caller {
            model,
            ..Caller::gemini()
        };
        let script = Script::events(&[chunk(&json!([{ "text": "ok" }]), Some("STOP"))]);
        let body = caller.call(asked("hello"), script).await.got.body;
        let config = &body["generationConfig"]["thinkingConfig"];
        assert_eq!(config, &Value::Null, "{model}");
    }
}
