//! `mobkit status`.

use super::modules::{is_well, urgency};
use crate::client::{Client, ServerArgs};
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Tone, visible_line};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
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
    let pending = client
        .pages("approval/list", Map::new(), "approvals")
        .await?;
    let modules = client.pages("module/list", Map::new(), "modules").await?;
    let engines = client.call("engine/list", &json!({})).await?;
    let left = left(&client).await?;
    if output.is_json() {
        status["system"] = system;
        status["approvals_pending"] = pending.len().into();
        status["modules"] = modules.into();
        status["engines"] = engines["engines"].clone();
        let counts = left.iter().map(|left| {
            let counted = json!({"count": left.count, "more": left.more});
            (left.state.to_owned(), counted)
        });
        status["deliveries_left"] = Value::Object(counts.collect());
        output.document(&status)?;
        return Ok(Exit::Done);
    }
    tell_head(output, &status, &system)?;
    let mut lines = facts(&status, &system);
    if let Some(left) = what_is_left(&left) {
        lines.insert(1, ("deliveries", left));
    }
    if let Some(engines) = external_engines(&engines) {
        lines.insert(1, ("engines", engines));
    }
    if !modules.is_empty() {
        lines.insert(1, ("modules", module_states(&modules)));
    }
    if let Some(waiting) = what_waits(&pending) {
        lines.insert(1, ("approvals", waiting));
    }
    for (name, value) in lines {
        output.line(&format!(
            "{} {value}",
            output.paint(Tone::Faint, &format!("{name:<10}"))
        ))?;
    }
    if !pending.is_empty() {
        output.notice("see what waits for a decision with `mobkit approvals`");
    }
    if let Some(left) = left.iter().find(|left| left.count > 0) {
        output.notice(&format!(
            "see what did not arrive with `mobkit deliveries --in {}`",
            left.state
        ));
    }
    Ok(Exit::Done)
}

/// How the engines stand that are processes of their own.
fn external_engines(answer: &Value) -> Option<String> {
    let engines = answer["engines"].as_array().into_iter().flatten();
    let external = engines.filter(|engine| engine["id"] != "native");
    let parts: Vec<String> = external
        .map(|engine| {
            let text = |name: &str| visible_line(engine[name].as_str().unwrap_or_default());
            match (engine["pid"].as_u64(), text("reason")) {
                (Some(pid), _) => format!("{} {}, pid {pid}", text("id"), text("version")),
                (None, reason) if reason.is_empty() => format!("{} stopped", text("id")),
                (None, reason) => format!("{} stopped ({reason})", text("id")),
            }
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// What there always is to say.
fn facts(status: &Value, system: &Value) -> Vec<(&'static str, String)> {
    vec![
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
    ]
}

/// The mob and its state, with what is out of the ordinary.
fn tell_head(output: &Output, status: &Value, system: &Value) -> Result<(), Failure> {
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
    Ok(())
}

/// What a person has to decide, the most urgent first.
fn what_waits(pending: &[Value]) -> Option<String> {
    let first = pending.first()?;
    let text = |name: &str| visible_line(first[name].as_str().unwrap_or_default());
    let more = match pending.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let (id, tool, member) = (text("id"), text("tool"), text("member"));
    Some(format!("{id} waits: {member} wants {tool}{more}"))
}

/// Deliveries of which nothing more comes by itself.
struct Left {
    state: &'static str,
    /// At most [`LEFT_SHOWN`].
    count: usize,
    /// Whether there are more.
    more: bool,
}

/// So many deliveries of a state are counted.
const LEFT_SHOWN: usize = 20;

async fn left(client: &Client<'_>) -> Result<[Left; 2], Failure> {
    let count = async |state: &'static str| {
        let params = json!({"state": state, "limit": LEFT_SHOWN});
        let page = client.call("delivery/list", &params).await?;
        let more = page["next_cursor"].is_string();
        let count = page["deliveries"].as_array().map_or(0, Vec::len);
        Ok::<_, Failure>(Left { state, count, more })
    };
    Ok([count("dead").await?, count("unknown").await?])
}

/// How many deliveries are dead, and of how many nobody knows whether they arrived.
fn what_is_left(left: &[Left]) -> Option<String> {
    let some = left.iter().filter(|left| left.count > 0);
    let parts: Vec<String> = some
        .map(|Left { state, count, more }| {
            format!("{count}{} {state}", if *more { "+" } else { "" })
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// How many modules stand where, those that need attention first and by name.
fn module_states(modules: &[Value]) -> String {
    let mut counts: BTreeMap<(u8, &str), usize> = BTreeMap::new();
    let mut parts = Vec::new();
    for module in modules {
        let text = |name: &str| visible_line(module[name].as_str().unwrap_or_default());
        if is_well(module) {
            let state = module["state"].as_str().unwrap_or("unknown");
            *counts.entry((urgency(module), state)).or_default() += 1;
        } else {
            let why = match text("reason") {
                reason if reason.is_empty() => reason,
                reason => format!(" ({reason})"),
            };
            parts.push(format!("{} {}{why}", text("id"), text("state")));
        }
    }
    let counts = counts.iter();
    parts.extend(counts.map(|((_, state), count)| format!("{count} {state}")));
    parts.join(", ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_person_is_named() {
        let modules = [
            json!({"id": "a", "state": "healthy"}),
            json!({"id": "b", "state": "healthy"}),
            json!({"id": "c", "state": "quarantined", "reason": "exit status 1"}),
            json!({"id": "d", "state": "stopped"}),
        ];
        let expected = "c quarantined (exit status 1), 2 healthy, 1 stopped";
        assert_eq!(module_states(&modules), expected);
        let pending = json!({"id": "apr-12", "tool": "module:mail/send", "member": "writer"});
        assert_eq!(
            what_waits(&[pending.clone(), pending]).as_deref(),
            Some("apr-12 waits: writer wants module:mail/send, and 1 more")
        );
        assert_eq!(what_waits(&[]), None);
        let engines = json!({"engines": [{"id": "native", "state": "ready"},
            {"id": "meerkat", "state": "ready", "pid": 7, "version": "0.9.8"},
            {"id": "other", "state": "stopped", "reason": "exit status 1"}]});
        let expected = "meerkat 0.9.8, pid 7, other stopped (exit status 1)";
        assert_eq!(external_engines(&engines).as_deref(), Some(expected));
        assert_eq!(external_engines(&json!({})), None);
        let left = |state, count, more| Left { state, count, more };
        let some = what_is_left(&[left("dead", 20, true), left("unknown", 1, false)]);
        assert_eq!(some.as_deref(), Some("20+ dead, 1 unknown"));
        assert_eq!(what_is_left(&[left("dead", 0, false)]), None);
    }
}
