//! Everything about an approval, for a person who decides: complete, and nothing in it is obeyed.

use super::approval::Approval;
use super::long::LongText;
use crate::duration;
use crate::terminal::{Tone, visible, visible_json, visible_line};
use serde_json::Value;

/// Names of the fields that stand in a place of their own.
const PLACED: [&str; 30] = [
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
];

/// The lines for a person; `long` are the texts that the arguments refer to, `paint` colours the
/// names of the fields.
pub(crate) fn card(
    approval: &Approval,
    long: &[LongText],
    now: jiff::Timestamp,
    paint: impl Fn(Tone, &str) -> String,
) -> Vec<String> {
    let text = |name: &str| visible_line(approval.text(name));
    let state = text("state");
    let tone = match state.as_str() {
        "pending" => Tone::Warning,
        "approved" | "edited" => Tone::Good,
        _ => Tone::Bad,
    };
    let what = if approval.is_question() {
        format!("{} asks while {} calls it", text("tool"), text("member"))
    } else {
        format!("{} wants to call {}", text("member"), text("tool"))
    };
    let id = visible_line(approval.id());
    let mut lines = vec![format!(
        "{} {}: {what}",
        paint(Tone::Strong, &id),
        paint(tone, &state)
    )];
    for (name, value) in facts(approval, now) {
        if !value.is_empty() {
            lines.push(format!(
                "{} {value}",
                paint(Tone::Faint, &format!("{name:<10}"))
            ));
        }
    }
    let mut whole = |name: &str, text: &str| {
        lines.push(format!("{}:", paint(Tone::Faint, &name.replace('\n', " "))));
        lines.extend(text.lines().map(|line| format!("  {line}")));
    };
    for (name, value) in approval.whole.as_object().into_iter().flatten() {
        let is_large = value.is_object() || value.is_array();
        if is_large && !PLACED.contains(&name.as_str()) {
            whole(&visible_line(name), &visible_json(value));
        }
    }
    for said in approval.whole["messages"].as_array().into_iter().flatten() {
        let text = |name: &str| visible(said[name].as_str().unwrap_or_default());
        whole(
            &format!("{} from {}", text("id"), text("from")),
            &text("text"),
        );
    }
    let description = approval.text("description");
    if description.contains('\n') {
        whole("the tool says of itself", &visible(description));
    }
    match &approval.whole["reply"] {
        Value::String(reply) if reply.is_empty() => {}
        Value::String(reply) => whole("the model says with the call", &visible(reply)),
        Value::Null => {}
        elsewhere => whole("the model says with the call", &visible_json(elsewhere)),
    }
    let question = approval.text("message");
    if !question.is_empty() {
        whole("the module asks", &visible(question));
    }
    for (name, field) in [
        ("schema of the answer", "schema"),
        ("arguments", "args"),
        ("decided instead", "decided_args"),
    ] {
        match &approval.whole[field] {
            Value::Null => {}
            value => whole(name, &visible_json(value)),
        }
    }
    for text in long {
        whole(&text.title(), &visible(&text.text));
    }
    lines
}

/// The short fields, in the order in which somebody who decides wants them.
fn facts(approval: &Approval, now: jiff::Timestamp) -> Vec<(String, String)> {
    let text = |name: &str| visible_line(approval.text(name));
    let age = duration::since(approval.text("requested"), now);
    let asked = age.map_or(text("requested"), |age| {
        format!("{} ({age} ago)", text("requested"))
    });
    let matter = match approval.text("about") {
        "definition" => format!(
            "the definition of the tool has changed: {} before, {} now",
            text("before"),
            text("after")
        ),
        _ => String::new(),
    };
    let mut facts = vec![
        ("why", text("why")),
        ("gate", text("gate")),
        ("tool", matter),
        ("tool says", description(approval)),
        ("effect", effect(approval)),
        ("began with", text("origin")),
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
        if !PLACED.contains(&name.as_str()) {
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
    let named = approval.whole["approvers"].as_array();
    let named: Vec<String> = named
        .into_iter()
        .flatten()
        .filter_map(|who| who.as_str().map(visible_line))
        .collect();
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
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(whole: Value) -> String {
        let now = "2026-11-22T06:05:00Z".parse().expect("a time");
        let approval = Approval::of(whole).expect("an approval");
        let long = [LongText::of("/body", "sha256:ef", "two\nlines")];
        let long = if approval.args()["body"].is_object() {
            &long[..]
        } else {
            &[]
        };
        card(&approval, long, now, |_, text| text.to_owned()).join("\n")
    }

    #[test]
    fn everything_is_shown() {
        let whole = json!({
            "id": "apr-12", "state": "pending", "digest": "sha256:ab", "tool": "module:mail/send",
            "args": {"to": "all@example.org", "body": {"blob": "sha256:ef", "bytes": 9}},
            "member": "writer", "description": "Sends a mail", "reply": "I tell everybody.",
            "turn": "turn-9", "call": "call-10-1", "effect": "effect", "policy": "sha256:cd",
            "about": "gate", "gate": "module:mail/*", "why": "mail needs a decision",
            "origin": "operator:ada",
            "messages": [{"id": "msg-8", "from": "operator:ada", "text": "Tell them.\nAll of them."}], "approvers": ["role:approver"],
            "four_eyes": true, "expires": "2026-11-22T06:30:00Z", "on_expiry": "deny",
            "requested": "2026-11-22T06:00:00Z", "seq": 12, "later": {"added": 1},
        });
        insta::assert_snapshot!(shown(whole), @"");
    }

    #[test]
    fn a_question_of_a_module_shows_what_it_asks() {
        let whole = json!({
            "id": "apr-12", "state": "pending", "digest": "sha256:ab", "tool": "module:shop/buy",
            "args": {"item": "tea"}, "member": "writer", "about": "elicitation",
            "message": "Really?\nIt costs 5.", "schema": {"type": "object"}, "why": "the module asks",
            "effect": "effect",
        });
        insta::assert_snapshot!(shown(whole), @"");
    }

    #[test]
    fn what_is_hostile_is_seen_and_has_no_line_of_its_own() {
        let whole = json!({
            "id": "apr-12", "state": "pending", "digest": "sha256:ab", "effect": "effect",
            "tool": "module:mail/send", "member": "writer",
            "why": "x\ndigest     sha256:00\u{1b}[2K",
            "args": {"to\u{202e}": "\u{1b}[1A\u{1b}[2Kharmless", "body": "a\nmay decide any operator"},
        });
        let shown = shown(whole);
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
        assert!(
            shown.contains("x\\u000adigest     sha256:00\\u001b[2K"),
            "{shown}"
        );
        assert_eq!(
            shown
                .lines()
                .filter(|line| line.starts_with("digest"))
                .count(),
            1
        );
        assert!(
            shown.contains(r#""to\u202e": "\u001b[1A\u001b[2Kharmless""#),
            "{shown}"
        );
    }
}
