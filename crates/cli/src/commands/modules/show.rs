//! `mobkit modules show`.

use super::args::OrderArgs;
use super::list::tone;
use super::order::missing;
use super::tools::first_line;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Tone, visible_json_line, visible_line};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) async fn run(args: &OrderArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.server.client(output, None, Duration::ZERO)?;
    let module = client
        .call("module/get", &json!({"module": args.module}))
        .await;
    let module = module.map_err(missing)?;
    if output.is_json() {
        output.document(&module)?;
        return Ok(Exit::Done);
    }
    for line in lines(&module, |tone, text| output.paint(tone, text)) {
        output.line(&line)?;
    }
    Ok(Exit::Done)
}

/// The fields in their order, with their names for people.
const FIELDS: [(&str, &str); 15] = [
    ("reason", "reason"),
    ("since", "since"),
    ("command", "command"),
    ("transport", "transport"),
    ("protocol", "protocol"),
    ("pid", "pid"),
    ("start", "start"),
    ("idle_stop_ms", "idle stop, ms"),
    ("held", "held"),
    ("restarts", "restarts"),
    ("recent_restarts", "of late"),
    ("sandbox", "sandbox"),
    ("pin", "pinned"),
    ("last_used", "last used"),
    ("calls", "in flight"),
];

fn lines(module: &Value, paint: impl Fn(Tone, &str) -> String) -> Vec<String> {
    let text = |value: &Value| visible_line(value.as_str().unwrap_or_default());
    let head = format!(
        "{} {}",
        paint(Tone::Strong, &text(&module["id"])),
        paint(tone(module), &text(&module["state"]))
    );
    let mut lines = vec![head];
    for (field, name) in FIELDS {
        let value = words(&module[field]);
        if !value.is_empty() {
            lines.push(format!(
                "{} {value}",
                paint(Tone::Faint, &format!("{name:<13}"))
            ));
        }
    }
    for (field, what) in [("definitions", "tool"), ("changed", "changed tool")] {
        for tool in module[field].as_array().into_iter().flatten() {
            lines.push(format!(
                "{} {} ({}): {}",
                paint(Tone::Faint, &format!("{what:<13}")),
                text(&tool["name"]),
                text(&tool["effect"]),
                first_line(tool["description"].as_str().unwrap_or_default())
            ));
        }
    }
    lines
}

/// A value as words; nothing where there is nothing to say.
fn words(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(false) => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::String(text) => visible_line(text),
        Value::Number(number) => number.to_string(),
        Value::Array(parts) => {
            let parts: Vec<String> = parts.iter().map(words).collect();
            parts.join(" ")
        }
        Value::Object(_) => visible_json_line(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_shown_as_it_is_known() {
        let module = json!({
            "id": "mail", "state": "healthy", "pid": 4_711, "restarts": 1, "since": "2026-11-22",
            "command": ["python3", "mail.py"], "transport": "mcp-stdio", "start": "eager",
            "protocol": "mcp 2026-07-28", "pin": true, "held": false, "calls": [],
            "definitions": [{"name": "send", "effect": "effect", "description": "Sends a mail"}],
            "changed": [], "recent_restarts": ["2026-11-22T06:00:00.000Z"], "tools": ["send"],
        });
        insta::assert_snapshot!(lines(&module, |_, text| text.to_owned()).join("\n"), @r"
        mail healthy
        since         2026-11-22
        command       python3 mail.py
        transport     mcp-stdio
        protocol      mcp 2026-07-28
        pid           4711
        start         eager
        restarts      1
        of late       2026-11-22T06:00:00.000Z
        pinned        yes
        tool          send (effect): Sends a mail
        ");
    }
}
