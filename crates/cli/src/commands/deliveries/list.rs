//! The deliveries, the newest first.

use super::args::DeliveriesArgs;
use crate::duration;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Table, Tone, visible_line};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) async fn run(args: &DeliveriesArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.server.client(output, None, Duration::ZERO)?;
    let mut params = json!({"limit": args.limit});
    let given = [
        ("state", &args.in_state),
        ("route", &args.route),
        ("recipient", &args.to),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            params[name] = json!(value);
        }
    }
    let page = client.call("delivery/list", &params).await?;
    let deliveries = page["deliveries"].as_array().map_or(&[][..], Vec::as_slice);
    if output.is_json() {
        output.document(&json!({"deliveries": deliveries}))?;
        return Ok(Exit::Done);
    }
    if deliveries.is_empty() {
        let asked = [&args.in_state, &args.route, &args.to];
        if asked.iter().any(|given| given.is_some()) {
            output.notice("no such deliveries");
        } else {
            output.notice("no deliveries; send one with `mobkit deliveries send TO TEXT`");
        }
        return Ok(Exit::Done);
    }
    output.line(&table(output, deliveries, environment::now()))?;
    if page["next_cursor"].is_string() {
        output.notice("there are older ones; ask for more with -n");
    }
    if deliveries.iter().any(is_left) {
        output.notice("send a dead or unknown one again with `mobkit deliveries replay ID`");
    }
    Ok(Exit::Done)
}

fn table(output: &Output, deliveries: &[Value], now: jiff::Timestamp) -> String {
    let header = ["ID", "ROUTE", "TO", "STATE", "ATTEMPTS", "NEXT", "LAST"];
    let mut table = Table::new(output, &header);
    for delivery in deliveries {
        let text = |name: &str| visible_line(delivery[name].as_str().unwrap_or_default());
        let to = match text("channel") {
            channel if channel.is_empty() => text("recipient"),
            channel => format!("{} on {channel}", text("recipient")),
        };
        let attempts = delivery["attempts"].as_array().map_or(0, Vec::len);
        let cells = vec![
            text("id"),
            text("route"),
            to,
            text("state"),
            attempts.to_string(),
            next(delivery, now),
            last(delivery, now),
        ];
        table.row(tone(delivery), cells);
    }
    table.render()
}

fn next(delivery: &Value, now: jiff::Timestamp) -> String {
    match delivery["retry_at"].as_str() {
        None => "-".to_owned(),
        Some(at) => duration::until(at, now).map_or("now".to_owned(), |left| format!("in {left}")),
    }
}

/// What came of the last attempt and when, or why there is none.
fn last(delivery: &Value, now: jiff::Timestamp) -> String {
    let attempts = delivery["attempts"].as_array();
    let Some(attempt) = attempts.and_then(|attempts| attempts.last()) else {
        return visible_line(delivery["reason"].as_str().unwrap_or("-"));
    };
    let age = duration::since(attempt["at"].as_str().unwrap_or_default(), now);
    let age = age.map(|age| format!("{age} ago")).unwrap_or_default();
    let reason = attempt["reason"].as_str().or(delivery["reason"].as_str());
    let reason = reason.map(|reason| format!(": {}", visible_line(reason)));
    format!("{} {age}{}", came_of(attempt), reason.unwrap_or_default())
}

/// What came of an attempt, with what the receiver answered.
pub(super) fn came_of(attempt: &Value) -> String {
    let outcome = visible_line(attempt["outcome"].as_str().unwrap_or("unknown"));
    match attempt["status"].as_u64() {
        Some(status) => format!("{outcome} {status}"),
        None => outcome,
    }
}

/// Whether nothing more happens to it by itself, though it may not have arrived.
pub(super) fn is_left(delivery: &Value) -> bool {
    matches!(delivery["state"].as_str(), Some("dead" | "unknown"))
}

/// The colour of its state.
pub(super) fn tone(delivery: &Value) -> Tone {
    match delivery["state"].as_str().unwrap_or_default() {
        "dead" => Tone::Bad,
        "unknown" | "failed" => Tone::Warning,
        "delivered" => Tone::Good,
        _ => Tone::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Show;

    #[test]
    fn a_table_says_where_each_delivery_stands() {
        let output = Output::new(&Show::default(), |_| None);
        let now = "2026-11-22T06:05:00Z".parse().expect("a time");
        let deliveries = [
            json!({"id": "dlv-20", "route": "hook", "recipient": "ops", "channel": "alarm",
                "state": "failed", "retry_at": "2026-11-22T06:05:08.000Z", "attempts": [
                    {"attempt": 1, "at": "2026-11-22T06:04:56.000Z", "outcome": "failed",
                        "status": 503, "reason": "overloaded\u{1b}[2J"}]}),
            json!({"id": "dlv-12", "route": "member:editor", "recipient": "member:editor",
                "state": "delivered", "attempts": [
                    {"attempt": 1, "at": "2026-11-22T06:00:00.000Z", "outcome": "delivered"}]}),
            json!({"id": "dlv-9", "route": "gone", "recipient": "x", "state": "dead",
                "attempts": [], "reason": "the route was removed"}),
        ];
        insta::assert_snapshot!(table(&output, &deliveries, now), @r#"
        ID      ROUTE          TO             STATE      ATTEMPTS  NEXT     LAST
        dlv-20  hook           ops on alarm   failed     1         in 0:08  failed 503 4s ago: overloaded\u001b[2J
        dlv-12  member:editor  member:editor  delivered  1         -        delivered 5m ago
        dlv-9   gone           x              dead       0         -        the route was removed
        "#);
    }
}
