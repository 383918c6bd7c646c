//! The last word of `mobkit up`.

use super::life::Stopped;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, visible_line};
use serde_json::{Value, json};
use std::time::Duration;

/// Says how the mob stopped.
pub(crate) fn conclude(stopped: &Stopped, output: &Output) -> Result<Exit, Failure> {
    if output.is_json() {
        let clean = stopped.clean;
        let frame = json!({"state": "stopped", "clean": clean, "report": stopped.report});
        output.frame(&frame)?;
    } else {
        for line in last_words(&stopped.report) {
            output.notice(&line);
        }
    }
    Ok(if stopped.clean {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// A shutdown report in lines: what came of the turns, what had to be forced, and every problem.
pub(crate) fn last_words(report: &Value) -> Vec<String> {
    let problems = report["problems"].as_array().into_iter().flatten();
    let problems = problems.filter_map(Value::as_str).map(visible_line);
    let mut lines = vec![summary(&report["drain"])];
    lines.extend(forced(report));
    lines.extend(problems);
    lines
}

/// The modules that did not end when their input was closed, and what else is left.
fn forced(report: &Value) -> Vec<String> {
    let modules = report["modules"].as_array().into_iter().flatten();
    let mut lines: Vec<String> = modules
        .filter_map(|module| {
            let signal = match module["outcome"].as_str()? {
                "terminated" => "SIGTERM",
                "killed" => "SIGKILL",
                _ => return None,
            };
            let id = visible_line(module["id"].as_str().unwrap_or_default());
            let took = Duration::from_millis(module["took_ms"].as_u64().unwrap_or(0));
            let took = took.as_secs_f64();
            Some(format!(
                "module {id} did not end by itself: {signal} after {took:.1} s"
            ))
        })
        .collect();
    if let Some(left) = report["orphan_processes"].as_u64().filter(|left| *left > 0) {
        lines.push(format!("child processes left: {left}"));
    }
    lines
}

fn summary(drain: &Value) -> String {
    let mut text = "stopped".to_owned();
    for (name, what) in [
        ("turns_finished", "finished"),
        ("turns_checkpointed", "put aside for the next start"),
        ("turns_cancelled", "cancelled"),
    ] {
        if let Some(turns) = drain[name].as_u64().filter(|turns| *turns > 0) {
            let sign = if text.contains(':') { "," } else { ":" };
            let plural = if turns == 1 { "turn" } else { "turns" };
            text = format!("{text}{sign} {turns} {plural} {what}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_had_to_be_forced_is_named() {
        let report = json!({"orphan_processes": 0, "modules": [
            {"id": "feed", "outcome": "exited", "took_ms": 12},
            {"id": "mail", "outcome": "terminated", "took_ms": 2_040},
            {"id": "slow", "outcome": "killed", "took_ms": 4_100},
        ]});
        assert_eq!(
            forced(&report),
            [
                "module mail did not end by itself: SIGTERM after 2.0 s",
                "module slow did not end by itself: SIGKILL after 4.1 s",
            ]
        );
    }

    #[test]
    fn the_last_word_says_what_was_seen() {
        assert_eq!(summary(&json!({})), "stopped");
        let drain = json!({"turns_finished": 2, "turns_checkpointed": 1, "turns_cancelled": 0});
        assert_eq!(
            summary(&drain),
            "stopped: 2 turns finished, 1 turn put aside for the next start"
        );
    }
}
