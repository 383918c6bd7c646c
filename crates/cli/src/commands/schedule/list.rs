//! The schedules, those that need attention first.

use crate::client::ServerArgs;
use crate::commands::status::LINE_PAUSED;
use crate::duration;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Table, Tone, visible_json_line, visible_line};
use serde_json::{Map, Value, json};
use std::time::Duration;

const NO_SCHEDULES: &str = "no schedules; one in the mob file triggers work by itself:
  [[schedules]]
  id = \"morning\"
  cron = \"0 7 * * 1-5\"
  timezone = \"Europe/London\"
  to = { member = \"editor\" }
  message = \"Prepare the briefing for {{ due | date }}.\"";

pub(super) async fn run(server: &ServerArgs, output: &Output) -> Result<Exit, Failure> {
    let client = server.client(output, None, Duration::ZERO)?;
    let schedules = client.pages("schedule/list", Map::new(), "schedules");
    let schedules = schedules.await?;
    if output.is_json() {
        output.document(&json!({"schedules": schedules}))?;
        return Ok(Exit::Done);
    }
    if schedules.is_empty() {
        output.notice(NO_SCHEDULES);
        return Ok(Exit::Done);
    }
    let status = client.call("mob/status", &json!({})).await?;
    let is_paused = status["paused"] == true;
    if is_paused {
        output.notice(LINE_PAUSED);
    }
    output.line(&table(output, &schedules, is_paused, environment::now()))?;
    output.notice("see what became of one with `mobkit schedule runs ID`");
    Ok(Exit::Done)
}

fn table(output: &Output, schedules: &[Value], is_paused: bool, now: jiff::Timestamp) -> String {
    let header = ["ID", "WHEN", "ZONE", "NEXT", "LAST", "TARGET", "STATE"];
    let mut table = Table::new(output, &header);
    for schedule in schedules {
        let text = |name: &str| visible_line(schedule[name].as_str().unwrap_or_default());
        let last = duration::since(&text("previous"), now);
        let cells = vec![
            text("id"),
            when(schedule),
            text("timezone"),
            next(schedule, is_paused, now),
            last.map_or_else(|| "-".to_owned(), |age| format!("{age} ago")),
            target(&schedule["to"]),
            state(schedule),
        ];
        table.row(tone(schedule), cells);
    }
    table.render()
}

/// When it is due, in the words of the mob file.
pub(super) fn when(schedule: &Value) -> String {
    let text = |name: &str| schedule[name].as_str().map(visible_line);
    let every = text("every").map(|every| format!("every {every}"));
    let at = text("at").map(|at| format!("at {at}"));
    text("cron").or(every).or(at).unwrap_or_default()
}

/// When it fires next; what is due while the whole line is paused waits for that.
fn next(schedule: &Value, is_paused: bool, now: jiff::Timestamp) -> String {
    let Some(at) = schedule["next"].as_str() else {
        return "-".to_owned();
    };
    match duration::until(at, now) {
        Some(left) => format!("in {left}"),
        None if is_paused => "waits".to_owned(),
        None => "now".to_owned(),
    }
}

/// What it starts.
pub(super) fn target(to: &Value) -> String {
    let text = |name: &str| to[name].as_str().map(visible_line);
    if let (Some(module), Some(tool)) = (text("module"), text("tool")) {
        return format!("module {module}/{tool}");
    }
    for noun in ["member", "route", "flow"] {
        if let Some(name) = text(noun) {
            return format!("{noun} {name}");
        }
    }
    visible_json_line(to)
}

/// Where it stands, and how many of its occurrences have not ended.
pub(super) fn state(schedule: &Value) -> String {
    let word = if schedule["enabled"] == false {
        "disabled"
    } else if schedule["paused"] == true {
        "paused"
    } else if schedule["origin"] == "host" {
        "host"
    } else if schedule["next"].is_null() {
        "over"
    } else {
        "active"
    };
    match schedule["open"].as_u64() {
        None | Some(0) => word.to_owned(),
        Some(open) => format!("{word}, {open} open"),
    }
}

/// The colour of its state.
pub(super) fn tone(schedule: &Value) -> Tone {
    match state(schedule).split(',').next().unwrap_or_default() {
        "paused" => Tone::Warning,
        "active" => Tone::Good,
        _ => Tone::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Show;

    #[test]
    fn a_table_says_when_each_schedule_fires() {
        let output = Output::new(&Show::default(), |_| None);
        let now = "2026-11-22T06:05:00Z".parse().expect("a time");
        let schedules = [
            json!({"id": "feed", "every": "15m", "timezone": "UTC", "enabled": true,
                "to": {"module": "feed", "tool": "warm"}, "paused": false, "open": 1,
                "next": "2026-11-22T06:15:00.000Z", "previous": "2026-11-22T06:00:00.000Z"}),
            json!({"id": "morning", "cron": "0 7 * * 1-5", "timezone": "Europe/London",
                "to": {"member": "editor"}, "enabled": true, "paused": true, "open": 0}),
            json!({"id": "once", "at": "2026-11-22T06:00:00", "timezone": "UTC", "enabled": true,
                "to": {"route": "ops\u{1b}[2J"}, "paused": false, "open": 0}),
        ];
        let table = |is_paused| table(&output, &schedules, is_paused, now);
        insta::assert_snapshot!(table(false), @r#"
        ID       WHEN                    ZONE           NEXT      LAST    TARGET              STATE
        feed     every 15m               UTC            in 10:00  5m ago  module feed/warm    active, 1 open
        morning  0 7 * * 1-5             Europe/London  -         -       member editor       paused
        once     at 2026-11-22T06:00:00  UTC            -         -       route ops\u001b[2J  over
        "#);
        // What was due in the meantime waits until the line goes on.
        let later = "2026-11-22T06:20:00Z".parse().expect("a time");
        assert_eq!(next(&schedules[0], true, later), "waits");
        assert_eq!(next(&schedules[0], false, later), "now");
    }
}
