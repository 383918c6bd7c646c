//! `mobkit schedule runs`.

use super::args::RunsArgs;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Table, Tone, visible_line};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) async fn run(args: &RunsArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.server.client(output, None, Duration::ZERO)?;
    let mut params = json!({"schedule": args.id, "limit": args.limit});
    if let Some(state) = &args.in_state {
        params["state"] = json!(state);
    }
    let page = client.call("schedule/occurrences", &params).await?;
    let occurrences = page["occurrences"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    if output.is_json() {
        output.document(&json!({"occurrences": occurrences}))?;
        return Ok(Exit::Done);
    }
    if occurrences.is_empty() {
        output.notice("it was not due yet, or nothing of it is in that state");
        return Ok(Exit::Done);
    }
    output.line(&table(output, occurrences))?;
    if page["next_cursor"].is_string() {
        output.notice("there are older ones; ask for more with -n");
    }
    Ok(Exit::Done)
}

fn table(output: &Output, occurrences: &[Value]) -> String {
    let header = ["DUE", "STATE", "WHY", "ATTEMPTS", "STARTED", "REASON"];
    let mut table = Table::new(output, &header);
    for occurrence in occurrences {
        let text = |name: &str| occurrence[name].as_str().map(visible_line);
        let started = ["turn", "message", "call", "delivery"]
            .into_iter()
            .find_map(text);
        let attempts = occurrence["attempts"].as_u64().unwrap_or(0);
        let cells = vec![
            due(occurrence),
            text("state").unwrap_or_default(),
            text("occasion").unwrap_or_else(|| "-".to_owned()),
            attempts.to_string(),
            started.unwrap_or_else(|| "-".to_owned()),
            text("reason").unwrap_or_default(),
        ];
        table.row(tone(occurrence), cells);
    }
    table.render()
}

/// Its due time, or how many from when to when.
fn due(occurrence: &Value) -> String {
    let text = |name: &str| visible_line(occurrence[name].as_str().unwrap_or_default());
    match occurrence["count"].as_u64() {
        Some(count) if count > 1 => {
            format!("{} to {} ({count})", text("due"), text("until"))
        }
        _ => text("due"),
    }
}

fn tone(occurrence: &Value) -> Tone {
    match occurrence["state"].as_str().unwrap_or_default() {
        "failed" => Tone::Bad,
        "missed" | "skipped" => Tone::Warning,
        "completed" => Tone::Good,
        _ => Tone::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Show;

    #[test]
    fn what_became_of_each_due_time_is_named() {
        let output = Output::new(&Show::default(), |_| None);
        let occurrences = [
            json!({"due": "2026-11-22T07:00:00.000Z", "state": "completed", "attempts": 1,
                "occasion": "due", "message": "msg-8", "turn": "turn-9"}),
            json!({"due": "2026-11-19T07:00:00.000Z", "until": "2026-11-21T07:00:00.000Z",
                "count": 3, "state": "missed", "attempts": 0, "reason": "too long ago"}),
        ];
        insta::assert_snapshot!(table(&output, &occurrences), @r#"
        DUE                                                       STATE      WHY  ATTEMPTS  STARTED  REASON
        2026-11-22T07:00:00.000Z                                  completed  due  1         turn-9
        2026-11-19T07:00:00.000Z to 2026-11-21T07:00:00.000Z (3)  missed     -    0         -        too long ago
        "#);
    }
}
