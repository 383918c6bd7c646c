//! `mobkit status`.

use crate::client::ServerArgs;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Tone};
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    server: ServerArgs,
}

/// What a person should know of a stopped line.
pub(crate) const LINE_PAUSED: &str =
    "the whole line is paused: messages wait, no turn begins; `mobkit resume --all` lets it go on";

pub(crate) async fn run(args: &StatusArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.server.client(output, None, Duration::ZERO)?;
    let mut status = client.call("mob/status", &json!({})).await?;
    let system = client.call("system/info", &json!({})).await?;
    if output.is_json() {
        status["system"] = system;
        output.document(&status)?;
        return Ok(Exit::Done);
    }
    let state = word(&status["state"]);
    let tone = match state.as_str() {
        "running" => Tone::Good,
        "failed" => Tone::Bad,
        _ => Tone::Warning,
    };
    let mark = if system["rehearsal"] == true {
        " (rehearsal)"
    } else {
        ""
    };
    let paused = if status["paused"] == true {
        " (paused)"
    } else {
        ""
    };
    let mark = format!("{paused}{mark}");
    let head = format!("{} {}", word(&status["mob"]), output.paint(tone, &state));
    output.line(&format!("{head}{}", output.paint(Tone::Warning, &mark)))?;
    if !paused.is_empty() {
        output.notice(LINE_PAUSED);
    }
    for (name, value) in [
        ("members", members(&status["members"])),
        (
            "journal",
            format!(
                "{} events, epoch {}",
                word(&status["head"]),
                word(&status["epoch"])
            ),
        ),
        (
            "store",
            format!(
                "{}, durability {}",
                word(&system["store"]),
                word(&system["durability"])
            ),
        ),
        (
            "server",
            format!(
                "mobkit {}, pid {}",
                word(&status["version"]),
                word(&system["pid"])
            ),
        ),
    ] {
        output.line(&format!(
            "{} {value}",
            output.paint(Tone::Faint, &format!("{name:<8}"))
        ))?;
    }
    Ok(Exit::Done)
}

/// The count of members, or the counts by state.
fn members(members: &Value) -> String {
    match members {
        Value::Object(by_state) => {
            let parts: Vec<String> = by_state
                .iter()
                .map(|(state, count)| format!("{} {state}", word(count)))
                .collect();
            parts.join(", ")
        }
        Value::Array(members) => members.len().to_string(),
        other => word(other),
    }
}

/// A value as a word of a line.
fn word(value: &Value) -> String {
    match value {
        Value::Null => "unknown".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
