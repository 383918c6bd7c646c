//! Everything about an approval, for a person who decides: complete, and nothing in it is obeyed.

use super::approval::Approval;
use super::facts::{facts, is_placed};
use super::long::LongText;
use crate::terminal::{Tone, visible, visible_json, visible_line};
use serde_json::Value;

/// The lines for a person; `long` are the texts that the arguments refer to, `paint` colours the
/// names of the fields.
pub(crate) fn card(
    approval: &Approval,
    long: &[LongText],
    now: jiff::Timestamp,
    paint: impl Fn(Tone, &str) -> String,
) -> Vec<String> {
    let mut lines = vec![head(approval, &paint)];
    for (name, value) in facts(approval, now) {
        if !value.is_empty() {
            let name = paint(Tone::Faint, &format!("{name:<10}"));
            lines.push(format!("{name} {value}"));
        }
    }
    for (name, text) in story(approval).into_iter().chain(matter(approval, long)) {
        lines.push(format!("{}:", paint(Tone::Faint, &name.replace('\n', " "))));
        // Indented: no text of others begins a line.
        lines.extend(text.lines().map(|line| format!("  {line}")));
    }
    lines
}

fn head(approval: &Approval, paint: impl Fn(Tone, &str) -> String) -> String {
    let text = |name: &str| visible_line(approval.text(name));
    let (id, state) = (text("id"), text("state"));
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
    let (id, state) = (paint(Tone::Strong, &id), paint(tone, &state));
    format!("{id} {state}: {what}")
}

/// A name and a text over several lines.
type Part = (String, String);

/// What led to it, and whatever a later server adds.
fn story(approval: &Approval) -> Vec<Part> {
    let mut parts = Vec::new();
    for (name, value) in approval.whole.as_object().into_iter().flatten() {
        let is_large = value.is_object() || value.is_array();
        if is_large && !is_placed(name) {
            parts.push((visible_line(name), visible_json(value)));
        }
    }
    for said in approval.whole["said"].as_array().into_iter().flatten() {
        let text = |name: &str| visible(said[name].as_str().unwrap_or_default());
        parts.push((
            format!("{} from {}", text("id"), text("from")),
            text("text"),
        ));
    }
    let description = approval.text("description");
    if description.contains('\n') {
        parts.push(("the tool says of itself".to_owned(), visible(description)));
    }
    let reply = match &approval.whole["reply"] {
        Value::Null => String::new(),
        Value::String(reply) => visible(reply),
        elsewhere => visible_json(elsewhere),
    };
    if !reply.is_empty() {
        parts.push(("the model says with the call".to_owned(), reply));
    }
    parts
}

/// What is decided, complete; it comes last, next to the question.
fn matter(approval: &Approval, long: &[LongText]) -> Vec<Part> {
    let mut parts = Vec::new();
    let question = approval.text("message");
    if !question.is_empty() {
        parts.push(("the module asks".to_owned(), visible(question)));
    }
    let arguments = if approval.is_question() {
        "arguments of the call"
    } else {
        "arguments"
    };
    for (name, field) in [
        ("schema of the answer", "schema"),
        (arguments, "args"),
        ("decided instead", "decided_args"),
    ] {
        match &approval.whole[field] {
            Value::Null => {}
            value => parts.push((name.to_owned(), visible_json(value))),
        }
    }
    let long = long.iter();
    parts.extend(long.map(|text| (visible_line(&text.title()), visible(&text.text))));
    parts
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
            "messages": ["msg-8"],
            "said": [{"id": "msg-8", "from": "operator:ada", "text": "Tell them.\nAll of them."}], "approvers": ["role:approver"],
            "four_eyes": true, "expires": "2026-11-22T06:30:00Z", "on_expiry": "deny",
            "requested": "2026-11-22T06:00:00Z", "seq": 12, "later": {"added": 1},
        });
        insta::assert_snapshot!(shown(whole), @r#"
        apr-12 pending: writer wants to call module:mail/send
        why        mail needs a decision
        gate       module:mail/*
        tool says  Sends a mail
        effect     effect: every call changes something
        begun by   operator:ada
        asked      2026-11-22T06:00:00Z (5m ago)
        expires    2026-11-22T06:30:00Z (in 25:00, then the call is refused)
        may decide role:approver; not operator:ada
        turn       turn-9, call-10-1, answers msg-8
        digest     sha256:ab
        policy     sha256:cd
        seq        12
        later:
          {
            "added": 1
          }
        msg-8 from operator:ada:
          Tell them.
          All of them.
        the model says with the call:
          I tell everybody.
        arguments:
          {
            "to": "all@example.org",
            "body": {
              "blob": "sha256:ef",
              "bytes": 9
            }
          }
        the text of sha256:ef, at /body in the arguments:
          two
          lines
        "#);
    }

    #[test]
    fn a_question_of_a_module_shows_what_it_asks() {
        let whole = json!({
            "id": "apr-12", "state": "pending", "digest": "sha256:ab", "tool": "module:shop/buy",
            "args": {"item": "tea"}, "member": "writer", "about": "elicitation",
            "message": "Really?\nIt costs 5.", "schema": {"type": "object"}, "why": "the module asks",
            "effect": "effect",
        });
        insta::assert_snapshot!(shown(whole), @r#"
        apr-12 pending: module:shop/buy asks while writer calls it
        why        the module asks
        effect     effect: every call changes something
        expires    never
        may decide any operator
        digest     sha256:ab
        the module asks:
          Really?
          It costs 5.
        schema of the answer:
          {
            "type": "object"
          }
        arguments of the call:
          {
            "item": "tea"
          }
        "#);
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
