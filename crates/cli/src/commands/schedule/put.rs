//! `mobkit schedule put`.

use super::args::PutArgs;
use crate::commands::send::read;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, visible_line};
use serde_json::{Map, Value, json};
use std::time::Duration;

pub(super) async fn run(args: &PutArgs, output: &Output) -> Result<Exit, Failure> {
    let mut entry = entry(&read(&args.file)?)?;
    let client = args.server.client(output, None, Duration::ZERO)?;
    entry.insert("key".to_owned(), json!(environment::random_key()?));
    let params = Value::Object(entry.clone());
    let result = client.call("schedule/put", &params).await;
    let result = result.map_err(all_problems)?;
    if output.is_json() {
        output.document(&result)?;
        return Ok(Exit::Done);
    }
    let text = |name: &str| result[name].as_str().map(visible_line);
    let id = text("schedule").unwrap_or_default();
    let next = match text("next") {
        Some(next) => format!("fires next at {next}"),
        None => still(entry.get("at"), entry.get("enabled")).to_owned(),
    };
    output.line(&format!("{id} {next}"))?;
    Ok(Exit::Done)
}

/// Why it never fires by itself.
fn still(at: Option<&Value>, enabled: Option<&Value>) -> &'static str {
    if enabled == Some(&Value::Bool(false)) {
        "does not fire by itself: it is disabled"
    } else if at.is_some() {
        "does not fire by itself: its time is over"
    } else {
        "does not fire by itself: it is paused"
    }
}

/// Says the other things that are wrong too, before the first.
fn all_problems(failure: Failure) -> Failure {
    let problems = failure.get("problems").and_then(Value::as_array).cloned();
    let others = problems.into_iter().flatten().skip(1);
    let told = others.map(|problem| {
        let text = |name: &str| visible_line(problem[name].as_str().unwrap_or_default());
        format!("error[{}]: {}", text("code"), text("message"))
    });
    told.fold(failure, Failure::finding)
}

/// One schedule, as JSON or TOML: its keys at the top, or a list `schedules` with it alone, as in
/// a mob file.
fn entry(text: &str) -> Result<Map<String, Value>, Failure> {
    let whole = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| malformed(&format!("no JSON: {error}")))?
    } else {
        let table: toml::Table = toml::from_str(text).map_err(|error| {
            let at = error.message().to_owned();
            malformed(&format!("neither JSON nor TOML: {at}"))
        })?;
        json_of(toml::Value::Table(table))
    };
    let Value::Object(mut whole) = whole else {
        return Err(malformed("no object"));
    };
    match whole.remove("schedules") {
        None if whole.is_empty() => Err(malformed("empty")),
        None => Ok(whole),
        Some(Value::Array(mut list)) if list.len() == 1 && whole.is_empty() => match list.pop() {
            Some(Value::Object(entry)) => Ok(entry),
            _ => Err(malformed("no object")),
        },
        Some(_) => Err(malformed("more than one schedule")),
    }
}

/// The same as JSON; times become their text.
fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(is) => is.into(),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(values) => values.into_iter().map(json_of).collect(),
        toml::Value::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| (key, json_of(value)));
            Value::Object(entries.collect())
        }
    }
}

fn malformed(why: &str) -> Failure {
    let message = format!("the schedule is {why}");
    Failure::new(Exit::Usage, "schedule.malformed", message).hint(
        "write one schedule as in the mob file, e.g. '{\"id\": \"morning\", \"cron\": \"0 7 * * *\", \
         \"to\": {\"member\": \"editor\"}, \"message\": \"Begin.\"}'",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_json_or_toml() {
        let expected = json!({"id": "a", "at": "2027-01-01T07:00:00", "to": {"member": "x"}});
        for text in [
            "id = \"a\"\nat = 2027-01-01T07:00:00\nto = { member = \"x\" }\n",
            "[[schedules]]\nid = \"a\"\nat = \"2027-01-01T07:00:00\"\nto.member = \"x\"\n",
            "{\"id\": \"a\", \"at\": \"2027-01-01T07:00:00\", \"to\": {\"member\": \"x\"}}",
        ] {
            let found = entry(text).expect(text);
            assert_eq!(Value::Object(found), expected, "{text}");
        }
        for text in [
            "",
            "1",
            "{\"id\"",
            "id = ",
            "[[schedules]]\nid = \"a\"\n[[schedules]]\nid = \"b\"\n",
        ] {
            assert_eq!(entry(text).expect_err(text).exit(), Exit::Usage, "{text}");
        }
    }
}
