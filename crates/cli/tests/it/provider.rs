//! Servers of model APIs, which answer one call after the other as they are told.

use crate::fake::{Fake, Reply, Request};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

const STREAM: &str = "text/event-stream";

/// What a provider does with a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Says {
    /// It answers.
    Whole,
    /// It calls a tool without arguments (as OpenAI does).
    Calls(&'static str),
    /// It refuses with this status, to be tried again after so many seconds.
    Later(u16, u32),
    /// It begins an answer, and the connection breaks.
    Cut,
    /// It begins an answer that is not of its protocol.
    Garbage,
    /// It begins an answer, and falls silent.
    Silent,
}

/// The protocol that a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    OpenAi,
    Anthropic,
    Gemini,
}

/// A server of one model.
pub(crate) struct Provider {
    fake: Fake,
    next: Arc<Mutex<VecDeque<Says>>>,
}

impl Provider {
    /// A server that answers every call that it is not told to treat otherwise.
    pub fn of(speaks: Speaks) -> Self {
        let next: Arc<Mutex<VecDeque<Says>>> = Arc::default();
        let queue = Arc::clone(&next);
        let fake = Fake::start(move |_: &Request| {
            let says = queue.lock().expect("no panic elsewhere").pop_front();
            reply(speaks, says.unwrap_or(Says::Whole))
        });
        Self { fake, next }
    }

    /// What it does with the next calls.
    pub fn next(&self, says: &[Says]) {
        self.next.lock().expect("no panic elsewhere").extend(says);
    }

    /// Whether it was called as often as it was told what to do.
    pub fn is_done(&self) -> bool {
        self.next.lock().expect("no panic elsewhere").is_empty()
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("{}/v1", self.fake.url())
    }

    /// The bodies of the calls so far.
    pub fn asked(&self) -> Vec<Value> {
        let seen = self.fake.seen().into_iter();
        seen.map(|request| request.body).collect()
    }
}

fn reply(speaks: Speaks, says: Says) -> Reply {
    match says {
        Says::Whole => Reply::Text(200, STREAM, whole(speaks)),
        Says::Calls(tool) => Reply::Text(200, STREAM, calls(tool)),
        Says::Later(status, seconds) => Reply::Later(status, seconds),
        Says::Cut => Reply::Cut(STREAM, begun(speaks)),
        Says::Garbage => Reply::Text(200, STREAM, "data: {\"what\": \n\n".to_owned()),
        Says::Silent => Reply::Hold(STREAM, begun(speaks)),
    }
}

fn events(events: &[Value]) -> String {
    let frame = |event: &Value| match event["type"].as_str() {
        Some(name) => format!("event: {name}\ndata: {event}\n\n"),
        None => format!("data: {event}\n\n"),
    };
    events.iter().map(frame).collect()
}

/// The first frames of an answer.
fn begun(speaks: Speaks) -> String {
    let whole = whole(speaks);
    let (first, _) = whole.split_once("\n\n").expect("it has frames");
    format!("{first}\n\n")
}

fn calls(tool: &str) -> String {
    let call = json!([{"index": 0, "id": "call_1", "type": "function",
        "function": {"name": tool, "arguments": "{}"}}]);
    let told = events(&[
        json!({"choices": [{"index": 0, "delta": {"tool_calls": call}, "finish_reason": null}]}),
        json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}),
    ]);
    format!("{told}data: [DONE]\n\n")
}

/// A whole answer, with tokens of every sort that the provider counts.
fn whole(speaks: Speaks) -> String {
    match speaks {
        Speaks::OpenAi => {
            let delta = |delta: Value, finish: Value| json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
            let told = events(&[
                delta(json!({"content": "by openai"}), Value::Null),
                delta(json!({}), json!("stop")),
                json!({"choices": [], "usage": {"prompt_tokens": 1003, "completion_tokens": 7,
                    "total_tokens": 1010, "prompt_tokens_details": {"cached_tokens": 401}}}),
            ]);
            format!("{told}data: [DONE]\n\n")
        }
        Speaks::Anthropic => events(&[
            json!({"type": "message_start", "message": {"usage": {"input_tokens": 11,
                "cache_creation_input_tokens": 301, "cache_read_input_tokens": 53,
                "output_tokens": 1}}}),
            json!({"type": "content_block_start", "index": 0,
                "content_block": {"type": "text", "text": ""}}),
            json!({"type": "content_block_delta", "index": 0,
                "delta": {"type": "text_delta", "text": "by anthropic"}}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
                "usage": {"output_tokens": 3}}),
            json!({"type": "message_stop"}),
        ]),
        Speaks::Gemini => events(&[json!({
            "candidates": [{"content": {"parts": [{"text": "by gemini"}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 19, "candidatesTokenCount": 3,
                "totalTokenCount": 22},
        })]),
    }
}
