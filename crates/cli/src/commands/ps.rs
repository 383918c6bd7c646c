//! `mobkit ps`.

mod family;

use super::status::LINE_PAUSED;
use crate::client::{Client, ServerArgs};
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Table, Tone, visible_line};
use crate::{duration, environment};
use serde_json::{Map, Value, json};
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct PsArgs {
    /// Only members with this label; may be given more than once
    #[arg(short, long = "label", value_name = "NAME=VALUE", value_parser = parse_label)]
    labels: Vec<(String, String)>,
    /// Only members in this state, e.g. idle
    #[arg(long = "in", value_name = "STATE", value_parser = [
        "starting", "idle", "working", "waiting", "paused", "retiring", "retired", "failed",
        "quarantined",
    ])]
    in_state: Option<String>,
    /// Only members of this profile
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: &PsArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.server.client(output, None, Duration::ZERO)?;
    let mut members = all(&client, args).await?;
    members.sort_by_cached_key(|member| (urgency(member), text(&member["id"])));
    let members = family::under_parents(members);
    let status = client.call("mob/status", &json!({})).await?;
    let paused = status["paused"] == true;
    if output.is_json() {
        let members: Vec<&Value> = members.iter().map(|(_, member)| member).collect();
        output.document(&json!({"members": members, "paused": paused}))?;
        return Ok(Exit::Done);
    }
    if paused {
        output.notice(LINE_PAUSED);
    }
    if members.is_empty() {
        output.notice("no members");
        return Ok(Exit::Done);
    }
    let header = [
        "STATE", "NAME", "PROFILE", "QUEUE", "TURN", "TOKENS", "COST", "LAST",
    ];
    let mut table = Table::new(output, &header);
    let now = environment::now();
    for (depth, member) in &members {
        let (tone, mut cells) = row(member, now);
        cells[1].insert_str(0, &"  ".repeat(*depth));
        table.row(
            tone,
            cells.map(|cell| output.foreign(&cell).into_owned()).into(),
        );
    }
    output.line(&table.render())?;
    let waits_for_us = |(_, member): &&(usize, Value)| {
        matches!(
            member["waiting_for"].as_str(),
            Some("approval" | "operator")
        )
    };
    let waiting = members.iter().filter(waits_for_us).count();
    if waiting > 0 {
        output.notice(&format!(
            "{} for a person: see `mobkit approvals`",
            if waiting == 1 {
                "1 member waits".to_owned()
            } else {
                format!("{waiting} members wait")
            }
        ));
    }
    Ok(Exit::Done)
}

/// Every member that the filters let through, page by page.
async fn all(client: &Client<'_>, args: &PsArgs) -> Result<Vec<Value>, Failure> {
    let mut params = Map::new();
    let first_label = args
        .labels
        .first()
        .map(|(name, value)| format!("{name}={value}"));
    for (name, value) in [
        ("label", &first_label),
        ("state", &args.in_state),
        ("profile", &args.profile),
    ] {
        if let Some(value) = value {
            params.insert(name.to_owned(), json!(value));
        }
    }
    let mut members = client.pages("member/list", params, "members").await?;
    // The server filters by one label; the others are for us.
    members.retain(|member| {
        args.labels
            .iter()
            .all(|(name, value)| member["labels"][name] == value.as_str())
    });
    Ok(members)
}

fn row(member: &Value, now: jiff::Timestamp) -> (Tone, [String; 8]) {
    let tone = match urgency(member) {
        0 => Tone::Bad,
        1 => Tone::Warning,
        2 => Tone::Good,
        _ => Tone::Plain,
    };
    let cost = match &member["cost_usd"] {
        Value::Null => "unpriced".to_owned(),
        cost => cost
            .as_f64()
            .map_or_else(|| text(cost), |usd| format!("${usd:.4}")),
    };
    let cells = [
        state(member),
        text(&member["id"]),
        text(&member["profile"]),
        text(&member["queue_len"]),
        dash(text(&member["turn"])),
        text(&member["tokens"]),
        cost,
        last(member, now),
    ];
    (tone, cells)
}

/// The state, and what it waits for.
fn state(member: &Value) -> String {
    let state = text(&member["state"]);
    let on = &member["waiting_on"];
    let what = on["what"].as_str().or(member["waiting_for"].as_str());
    let which = on["approval"].as_str().or(on["peer"].as_str());
    let which = match (what, which) {
        // The call has no name that anybody knows; somebody has to say what came of it.
        (Some("operator"), _) => on["call"].as_str(),
        (_, which) => which,
    };
    match (what, which) {
        (Some(what), Some(which)) => format!("{state} on {what} {which}"),
        (Some(what), None) => format!("{state} on {what}"),
        (None, _) => state,
    }
}

/// Who needs a person comes first.
fn urgency(member: &Value) -> u8 {
    match member["state"].as_str().unwrap_or_default() {
        "failed" | "quarantined" => 0,
        "waiting" if matches!(member["waiting_for"].as_str(), Some("peer" | "timer")) => 2,
        "waiting" | "paused" => 1,
        "working" | "starting" => 2,
        "idle" => 3,
        _ => 4,
    }
}

/// Why it is paused, and when it goes on by itself.
fn pause(paused: &Value, now: jiff::Timestamp) -> Option<String> {
    let reason = paused["reason"].as_str().map(visible_line);
    let left = paused["until"].as_str().map(|until| {
        duration::until(until, now).map_or("now".to_owned(), |left| format!("in {left}"))
    });
    match (reason, left) {
        (Some(reason), Some(left)) => Some(format!("{reason}; goes on {left}")),
        (Some(reason), None) => Some(reason),
        (None, left) => left.map(|left| format!("goes on {left}")),
    }
}

/// How long it has been so, and why it is paused, or its last error.
fn last(member: &Value, now: jiff::Timestamp) -> String {
    let since = text(&member["since"]);
    let age = duration::since(&since, now).map_or(since, |age| format!("{age} ago"));
    if let Some(pause) = pause(&member["paused"], now) {
        return format!("{age}: {pause}");
    }
    let error = match &member["last_error"] {
        Value::Object(error) => text(
            error
                .get("reason")
                .or_else(|| error.get("message"))
                .unwrap_or(&Value::Null),
        ),
        other => text(other),
    };
    match (age.is_empty(), error.is_empty()) {
        (_, true) => dash(age),
        (true, false) => error,
        (false, false) => format!("{age}: {error}"),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn dash(text: String) -> String {
    if text.is_empty() {
        "-".to_owned()
    } else {
        text
    }
}

fn parse_label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE, e.g. team=news".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_is_paused_says_why_and_until_when() {
        let now = "2026-11-22T06:05:00Z".parse().expect("a time");
        let told = |paused: Value| {
            let since = "2026-11-22T06:04:00Z";
            last(
                &json!({"state": "paused", "since": since, "paused": paused}),
                now,
            )
        };
        let budget = json!({"reason": "the budget is used up", "budget": "usd_per_day",
            "until": "2026-11-23T00:00:00.000Z"});
        assert_eq!(
            told(budget),
            "1m ago: the budget is used up; goes on in 17h 55m"
        );
        assert_eq!(told(json!({"reason": "enough\n"})), "1m ago: enough\\u000a");
        assert_eq!(told(json!({})), "1m ago");
    }

    #[test]
    fn a_row_says_what_is_the_matter() {
        let now = "2026-11-22T06:05:00Z".parse().expect("a time");
        let member = json!({
            "id": "editor", "profile": "desk", "state": "failed", "queue_len": 3, "turn": "turn-9",
            "tokens": 120, "cost_usd": 0.5, "since": "2026-11-22T06:00:00.000Z",
            "last_error": "401",
        });
        let (tone, cells) = row(&member, now);
        assert_eq!(tone, Tone::Bad);
        let expected = [
            "failed",
            "editor",
            "desk",
            "3",
            "turn-9",
            "120",
            "$0.5000",
            "5m ago: 401",
        ];
        assert_eq!(cells, expected);
    }

    #[test]
    fn what_is_not_known_is_not_invented() {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let (_, cells) = row(&json!({"id": "a", "state": "idle", "cost_usd": null}), now);
        assert_eq!(cells, ["idle", "a", "", "", "-", "", "unpriced", "-"]);
    }

    #[test]
    fn who_needs_a_person_comes_first() {
        let order = ["quarantined", "waiting", "working", "idle", "retired"];
        let urgencies = order.map(|state| urgency(&json!({"state": state})));
        assert!(urgencies.is_sorted(), "{urgencies:?}");
        let peer = json!({"state": "waiting", "waiting_for": "peer"});
        assert_eq!(urgency(&peer), 2);
    }

    #[test]
    fn who_waits_says_for_what() {
        for (on, expected) in [
            (
                json!({"what": "approval", "call": "call-10-1", "approval": "apr-12"}),
                "waiting on approval apr-12",
            ),
            (
                json!({"what": "peer", "call": "call-10-1", "peer": "critic"}),
                "waiting on peer critic",
            ),
            (
                json!({"what": "operator", "call": "call-10-1"}),
                "waiting on operator call-10-1",
            ),
            (json!(null), "waiting"),
        ] {
            assert_eq!(
                state(&json!({"state": "waiting", "waiting_on": on})),
                expected
            );
        }
    }
}
