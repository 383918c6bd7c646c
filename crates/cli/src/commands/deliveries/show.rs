//! `mobkit deliveries show`.

use super::list::{came_of, tone};
use super::replay::missing;
use crate::client::ServerArgs;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Tone, visible, visible_json, visible_line};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) async fn run(id: &str, server: &ServerArgs, output: &Output) -> Result<Exit, Failure> {
    let client = server.client(output, None, Duration::ZERO)?;
    let found = client.call("delivery/get", &json!({"delivery": id})).await;
    let found = found.map_err(missing)?;
    if output.is_json() {
        output.document(&found)?;
        return Ok(Exit::Done);
    }
    for line in lines(&found, |tone, text| output.paint(tone, text)) {
        output.line(&line)?;
    }
    Ok(Exit::Done)
}

/// The fields in their order, with their names for people.
const FIELDS: [(&str, &str); 8] = [
    ("route", "route"),
    ("recipient", "to"),
    ("channel", "channel"),
    ("from", "from"),
    ("turn", "turn"),
    ("queued", "queued"),
    ("retry_at", "next"),
    ("reason", "reason"),
];

fn lines(delivery: &Value, paint: impl Fn(Tone, &str) -> String) -> Vec<String> {
    let text = |value: &Value| visible_line(value.as_str().unwrap_or_default());
    let id = paint(Tone::Strong, &text(&delivery["id"]));
    let state = paint(tone(delivery), &text(&delivery["state"]));
    let name = |name: &str| paint(Tone::Faint, &format!("{name:<8}"));
    let mut lines = vec![format!("{id} {state}")];
    for (field, shown) in FIELDS {
        let value = text(&delivery[field]);
        if !value.is_empty() {
            lines.push(format!("{} {value}", name(shown)));
        }
    }
    for attempt in delivery["attempts"].as_array().into_iter().flatten() {
        let took = attempt["took_ms"].as_u64();
        let took = took.map(|ms| format!(" after {ms}ms")).unwrap_or_default();
        let told = |name: &str| attempt[name].as_str().map(visible_line);
        let reason = told("reason").map(|reason| format!(": {reason}"));
        lines.push(format!(
            "{} {} {}{took}{}",
            name("attempt"),
            text(&attempt["at"]),
            came_of(attempt),
            reason.unwrap_or_default()
        ));
        if let Some(excerpt) = told("excerpt").filter(|excerpt| !excerpt.is_empty()) {
            lines.push(format!("{} {excerpt}", name("")));
        }
    }
    match &delivery["payload"] {
        Value::Null => {}
        Value::String(payload) => lines.push(visible(payload)),
        payload => lines.push(visible_json(payload)),
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_shown_with_its_attempts() {
        let delivery = json!({
            "id": "dlv-20", "route": "hook", "recipient": "ops", "state": "dead",
            "from": "member:editor", "turn": "turn-8", "queued": "2026-11-22T06:00:00.000Z",
            "reason": "all 2 attempts failed", "payload": {"text": "fire\u{1b}[2J"},
            "attempts": [
                {"attempt": 1, "at": "2026-11-22T06:00:00.010Z", "outcome": "failed",
                    "status": 503, "reason": "overloaded", "excerpt": "try later", "took_ms": 12},
                {"attempt": 2, "at": "2026-11-22T06:00:02.000Z", "outcome": "unknown"},
            ],
        });
        insta::assert_snapshot!(lines(&delivery, |_, text| text.to_owned()).join("\n"), @r#"
        dlv-20 dead
        route    hook
        to       ops
        from     member:editor
        turn     turn-8
        queued   2026-11-22T06:00:00.000Z
        reason   all 2 attempts failed
        attempt  2026-11-22T06:00:00.010Z failed 503 after 12ms: overloaded
                 try later
        attempt  2026-11-22T06:00:02.000Z unknown
        {
          "text": "fire\u001b[2J"
        }
        "#);
    }
}
