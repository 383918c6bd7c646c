//! The language in which messages tell the runner what to do.
//!
//! A message is a list of steps, separated by `;`: `say X`, `look`, `put`, `pay` (tools of the
//! host, several of one step joined by `+`, each with JSON arguments if it needs some), `peers`,
//! `now`, `ask <member> <message>`, `tell <member> <message>`, `fail <class>`, `never`, `panic`.
//! Before a step may stand `after <ms>` and `flaky <attempts that fail>`. After the last step comes
//! `say done`.

use mobkit_domain::model::{CallRequest, FailureClass, Finish, Reply, Usage};
use serde_json::{Value, json};

/// What a model does at one step.
pub enum Act {
    Reply(Reply),
    Fail(FailureClass),
    Never,
    Panic,
}

/// A step: how long it takes, and what it is.
pub struct Step {
    pub after_ms: u64,
    pub act: Act,
}

/// The step of this number, from 1, in this attempt.
pub fn step(message: &str, step: u32, attempt: u32) -> Step {
    let text = message
        .split(';')
        .map(str::trim)
        .nth(step as usize - 1)
        .unwrap_or("say done");
    let mut rest = text;
    let mut after_ms = 0;
    loop {
        let (verb, tail) = rest.split_once(' ').unwrap_or((rest, ""));
        let act = match verb {
            "after" => {
                let (ms, tail) = tail.split_once(' ').expect("after <ms> <step>");
                after_ms = ms.parse().expect("milliseconds");
                rest = tail;
                continue;
            }
            "flaky" => {
                let (times, tail) = tail.split_once(' ').expect("flaky <times> <step>");
                let times: u32 = times.parse().expect("a number");
                if attempt <= times {
                    return Step {
                        after_ms,
                        act: Act::Fail(FailureClass::Server),
                    };
                }
                rest = tail;
                continue;
            }
            "say" => Act::Reply(reply(tail, Vec::new())),
            "fail" => Act::Fail(class(tail)),
            "never" => Act::Never,
            "panic" => Act::Panic,
            _ => Act::Reply(reply("", rest.split('+').map(call).collect())),
        };
        return Step { after_ms, act };
    }
}

fn class(word: &str) -> FailureClass {
    serde_json::from_value(word.into()).expect("a class of failure")
}

fn reply(text: &str, calls: Vec<CallRequest>) -> Reply {
    let finish = if calls.is_empty() {
        Finish::Stop
    } else {
        Finish::Calls
    };
    let usage = Usage {
        input_tokens: 10,
        output_tokens: 2,
        ..Usage::default()
    };
    Reply {
        text: text.into(),
        calls,
        usage,
        finish,
        carry: None,
    }
}

fn call(text: &str) -> CallRequest {
    let text = text.trim();
    let (verb, rest) = text.split_once(' ').unwrap_or((text, "{}"));
    let addressed = || {
        let (to, content) = rest.split_once(' ').expect("<member> <message>");
        json!({ "to": to, "content": content })
    };
    let (tool, args): (&str, Value) = match verb {
        "ask" => ("ask_peer", addressed()),
        "tell" => ("send_message", addressed()),
        other => (
            other,
            serde_json::from_str(rest).expect("arguments are JSON"),
        ),
    };
    CallRequest {
        tool: tool.to_owned(),
        args,
        provider_id: None,
    }
}
