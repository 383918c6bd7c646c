//! The language in which messages say what the model is to do.
//!
//! A message is a list of acts, separated by `; `, one for each step: tools, several of one step
//! joined by `+`, `ask <member> <act>`, `tell <member> <act>`, `deliver <recipient>`,
//! `delegate <act>`, `task`, `tasks`, `nonsense` (a tool that nobody offers), `say <words>`. After
//! the last act comes an answer.

use mobkit::model::CallRequest;
use mobkit::rehearse::Chance;
use serde_json::{Value, json};

/// What a model does at one step.
pub(crate) enum Act {
    Say(String),
    Calls(Vec<CallRequest>),
}

/// The act of a message at a step, from 1.
pub(crate) fn act_of(message: &str, step: u32) -> Act {
    let at = usize::try_from(step.saturating_sub(1)).unwrap_or(usize::MAX);
    let Some(text) = message.split("; ").nth(at) else {
        return Act::Say(format!("done after {step} steps"));
    };
    match text.strip_prefix("say ") {
        Some(words) => Act::Say(words.to_owned()),
        None => Act::Calls(text.split('+').map(|text| call(text, step)).collect()),
    }
}

fn call(text: &str, step: u32) -> CallRequest {
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    let addressed = || {
        let (to, content) = rest.split_once(' ').unwrap_or((rest, "say nothing"));
        json!({"to": to, "content": content})
    };
    let (tool, args) = match verb {
        "look" | "put" | "pay" => (format!("module:bank/{verb}"), json!({"step": step})),
        "ask" => ("ask_peer".to_owned(), addressed()),
        "tell" => ("send_message".to_owned(), addressed()),
        "deliver" => {
            let payload = json!({"step": step});
            (
                "deliver".to_owned(),
                json!({"recipient": rest, "payload": payload}),
            )
        }
        "delegate" => ("delegate".to_owned(), json!({"task": rest})),
        "task" => ("task_add".to_owned(), json!({"title": "something to do"})),
        "tasks" => ("task_list".to_owned(), json!({})),
        other => (other.to_owned(), Value::Object(serde_json::Map::new())),
    };
    CallRequest {
        tool,
        args,
        provider_id: None,
    }
}

/// A message for a mob of these members and recipients.
pub(crate) fn message(chance: &mut Chance, members: &[&str], recipients: &[&str]) -> String {
    let count = chance.between(1, 4);
    let acts: Vec<String> = (0..count)
        .map(|_| one(chance, members, recipients))
        .collect();
    acts.join("; ")
}

fn one(chance: &mut Chance, members: &[&str], recipients: &[&str]) -> String {
    let small = |chance: &mut Chance| chance.pick(&["look", "put", "pay", "say so"]).to_owned();
    match chance.between(1, 20) {
        1..=3 => "look".to_owned(),
        4..=5 => "put".to_owned(),
        6..=8 => "pay".to_owned(),
        9 => "look+look".to_owned(),
        10 => "pay+look+put".to_owned(),
        11..=12 => format!("ask {} {}", chance.pick(members), small(chance)),
        13..=14 => format!("tell {} {}", chance.pick(members), small(chance)),
        15..=16 => format!("deliver {}", chance.pick(recipients)),
        17 => format!("delegate {}", small(chance)),
        18 => chance.pick(&["task", "tasks", "peers"]).to_owned(),
        19 => "nonsense".to_owned(),
        _ => "say that is all".to_owned(),
    }
}
