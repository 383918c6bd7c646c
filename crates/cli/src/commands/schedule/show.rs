//! `mobkit schedule show`.

use super::args::OneArgs;
use super::calendar::local;
use super::list::{state, target, tone, when};
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Tone, visible_json_line, visible_line};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) async fn run(args: &OneArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.server.client(output, None, Duration::ZERO)?;
    let params = json!({"schedule": args.id});
    let schedule = client.call("schedule/get", &params).await?;
    if output.is_json() {
        output.document(&schedule)?;
        return Ok(Exit::Done);
    }
    for line in lines(&schedule, |tone, text| output.paint(tone, text)) {
        output.line(&line)?;
    }
    Ok(Exit::Done)
}

fn lines(schedule: &Value, paint: impl Fn(Tone, &str) -> String) -> Vec<String> {
    let text = |name: &str| visible_line(schedule[name].as_str().unwrap_or_default());
    let time = |name: &str| {
        let zone = schedule["timezone"].as_str().unwrap_or_default();
        let at = schedule[name].as_str()?;
        Some(match local(at, zone) {
            Some(local) => format!("{} ({local})", visible_line(at)),
            None => visible_line(at),
        })
    };
    let policy = &schedule["missed"]["policy"];
    let missed = policy.as_str().map(|policy| {
        let within = schedule["missed"]["within"].as_str().unwrap_or_default();
        format!("{}, within {}", visible_line(policy), visible_line(within))
    });
    let origin = match &schedule["origin"] {
        Value::Null => String::new(),
        Value::String(origin) => visible_line(origin),
        other => visible_json_line(other),
    };
    let id = paint(Tone::Strong, &text("id"));
    let head = format!("{id} {}", paint(tone(schedule), &state(schedule)));
    let fields = [
        ("when", when(schedule)),
        ("zone", text("timezone")),
        ("next", time("next").unwrap_or_default()),
        ("last", time("previous").unwrap_or_default()),
        ("target", target(&schedule["to"])),
        ("message", text("message")),
        ("jitter", text("jitter")),
        ("missed", missed.unwrap_or_default()),
        ("overlap", text("overlap")),
        ("from", origin),
    ];
    let fields = fields.into_iter().filter(|(_, value)| !value.is_empty());
    let fields = fields
        .map(|(name, value)| format!("{} {value}", paint(Tone::Faint, &format!("{name:<8}"))));
    std::iter::once(head).chain(fields).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_shown_with_its_times_on_both_clocks() {
        let schedule = json!({
            "id": "morning", "cron": "0 7 * * 1-5", "timezone": "Europe/London", "enabled": true,
            "to": {"member": "editor"}, "message": "Prepare\nit", "overlap": "skip",
            "missed": {"policy": "latest", "within": "12h"}, "origin": {"member": "ada"},
            "paused": false, "next": "2027-03-29T06:00:00.000Z", "open": 0,
        });
        insta::assert_snapshot!(lines(&schedule, |_, text| text.to_owned()).join("\n"), @r#"
        morning active
        when     0 7 * * 1-5
        zone     Europe/London
        next     2027-03-29T06:00:00.000Z (Mon 2027-03-29 07:00:00 BST)
        target   member editor
        message  Prepare\u000ait
        missed   latest, within 12h
        overlap  skip
        from     {"member":"ada"}
        "#);
    }
}
