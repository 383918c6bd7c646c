//! The short fields of an approval, each on one line.

use super::approval::Approval;
use crate::duration;
use crate::terminal::visible_line;
use serde_json::Value;

/// Names of the fields that have a place of their own.
const PLACED: [&str; 31] = [
    "id",
    "state",
    "member",
    "tool",
    "why",
    "about",
    "gate",
    "before",
    "after",
    "message",
    "schema",
    "requested",
    "expires",
    "on_expiry",
    "held",
    "effect",
    "origin",
    "approvers",
    "four_eyes",
    "turn",
    "call",
    "messages",
    "ended",
    "by",
    "reason",
    "args",
    "decided_args",
    "digest",
    "reply",
    "description",
    "said",
];

/// Whether the field has a place of its own: whatever a later server adds is shown after those.
pub(super) fn is_placed(name: &str) -> bool {
    PLACED.contains(&name)
}

/// The short fields, in the order in which somebody who decides wants them.
pub(super) fn facts(approval: &Approval, now: jiff::Timestamp) -> Vec<(String, String)> {
    let text = |name: &str| visible_line(approval.text(name));
    let age = duration::since(approval.text("requested"), now);
    let asked = age.map_or(text("requested"), |age| {
        format!("{} ({age} ago)", text("requested"))
    });
    let matter = match approval.text("about") {
        "definition" => format!("from {} to {}", text("before"), text("after")),
        _ => String::new(),
    };
    let mut facts = vec![
        ("why", text("why")),
        ("gate", text("gate")),
        ("changed", matter),
        ("tool says", description(approval)),
        ("effect", effect(approval)),
        ("begun by", text("origin")),
        ("asked", asked),
        ("expires", expiry(approval, now)),
        ("may decide", deciders(approval)),
        ("turn", turn(approval)),
        ("decided", decided(approval)),
        ("digest", text("digest")),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect::<Vec<_>>();
    // What a later server adds is shown too.
    for (name, value) in approval.whole.as_object().into_iter().flatten() {
        let value = match value {
            Value::String(value) => visible_line(value),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => continue,
        };
        if !is_placed(name) {
            facts.push((visible_line(name), value));
        }
    }
    facts
}

/// What the tool says of itself, where that fits on the line.
fn description(approval: &Approval) -> String {
    let text = approval.text("description");
    if text.contains('\n') {
        String::new()
    } else {
        visible_line(text)
    }
}

fn effect(approval: &Approval) -> String {
    match approval.text("effect") {
        "read" => "read: the tool only looks".to_owned(),
        "idempotent" => "idempotent: a second call changes nothing more".to_owned(),
        "effect" => "effect: every call changes something".to_owned(),
        other => visible_line(other),
    }
}

fn expiry(approval: &Approval, now: jiff::Timestamp) -> String {
    if approval.whole["expires"].is_null() {
        return if approval.is_pending() {
            "never".to_owned()
        } else {
            String::new()
        };
    }
    let at = visible_line(approval.text("expires"));
    if !approval.is_pending() {
        return at;
    }
    let then = match approval.text("on_expiry") {
        "hold" => "then it waits on",
        _ => "then the call is refused",
    };
    match approval.time_left(now) {
        Some(left) => format!("{at} (in {left}, {then})"),
        None if approval.whole["held"] == true => format!("{at} (past; it waits on)"),
        None => format!("{at} (past)"),
    }
}

fn deciders(approval: &Approval) -> String {
    let named = words(&approval.whole["approvers"]);
    let who = if named.is_empty() {
        "any operator".to_owned()
    } else {
        named.join(", ")
    };
    if approval.whole["four_eyes"] == true {
        format!("{who}; not {}", visible_line(approval.text("origin")))
    } else {
        who
    }
}

fn turn(approval: &Approval) -> String {
    let text = |name: &str| visible_line(approval.text(name));
    let mut parts = vec![text("turn"), text("call")];
    let messages = words(&approval.whole["messages"]);
    if !messages.is_empty() {
        parts.push(format!("answers {}", messages.join(", ")));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

/// The texts of a list.
fn words(list: &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|word| word.as_str().map(visible_line))
        .collect()
}

fn decided(approval: &Approval) -> String {
    let text = |name: &str| visible_line(approval.text(name));
    let mut words = Vec::new();
    for (word, name) in [("by", "by"), ("at", "ended")] {
        if !approval.text(name).is_empty() {
            words.push(format!("{word} {}", text(name)));
        }
    }
    let decided = words.join(" ");
    match approval.text("reason") {
        "" => decided,
        _ if decided.is_empty() => text("reason"),
        _ => format!("{decided}: {}", text("reason")),
    }
}
