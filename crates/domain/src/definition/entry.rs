//! One `[[schedules]]` or `[[routes]]` entry on its own, given as JSON: what callers of the API
//! define.
//!
//! It is written as the file would have it and read by the reader of the file, so that both take
//! the same and say the same of what is wrong. Whether members, modules and routes exist that an
//! entry names is not looked at here: other than in a file, they may come from elsewhere.

use super::parse::{NoFiles, report_syntax};
use super::report::{Noun, Report};
use super::source::{Table, listed};
use super::{Diagnostic, Route, Schedule, ScheduleTarget, route, schedule};
use crate::refusal::{Refusal, RefusalKind};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use toml::de::DeTable;

/// What is wrong in an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryError {
    /// Stable code, `definition.<reason>`; see [`super::CODES`].
    pub code: String,
    /// The key of the entry where it is; `None`: of the entry as a whole.
    pub field: Option<String>,
    /// One line: what is wrong.
    pub message: String,
    /// The next step, where there is one.
    pub hint: Option<String>,
}

impl EntryError {
    /// The refusal of an entry: the first error, with all of them as the fact `problems`.
    pub fn refusal(errors: &[Self]) -> Refusal {
        let Some(first) = errors.first() else {
            let message = "the parameters define nothing";
            return Refusal::new(RefusalKind::Invalid, "params.invalid", message);
        };
        let problems = errors.iter().map(|error| {
            json!({
                "code": error.code, "field": error.field, "message": error.message,
                "hint": error.hint,
            })
        });
        let mut facts = json!({ "problems": problems.collect::<Vec<Value>>() });
        if let Some(field) = &first.field {
            facts["field"] = json!(field);
        }
        let refusal = Refusal::new(RefusalKind::Invalid, &first.code, &first.message).data(facts);
        match &first.hint {
            Some(hint) => refusal.hint(hint),
            None => refusal,
        }
    }
}

/// What an object with the keys of a `[[schedules]]` entry starts; `None`: that can't be told.
/// Nothing else of it is looked at.
pub fn target_of(entry: &Map<String, Value>) -> Option<ScheduleTarget> {
    let to = entry.get_key_value("to");
    let to = to.map(|(key, value)| (key.clone(), value.clone()));
    let list = ("schedules", Noun::Schedule);
    let found = read(&to.into_iter().collect(), list, |cx, root| {
        let entries = super::source::tables(cx, root, list.0).into_iter();
        let targets = entries.filter_map(|node| {
            let mut table = node.table_of(cx, "the schedule".to_owned())?;
            schedule::target(cx, &mut table)
        });
        targets.collect()
    });
    found.ok()
}

/// Reads an object with the keys of a `[[schedules]]` entry. All errors are returned together.
pub fn schedule_of(entry: &Map<String, Value>) -> Result<Schedule, Vec<EntryError>> {
    let list = ("schedules", Noun::Schedule);
    read(entry, list, |cx, root| {
        listed(cx, root, list, schedule::read)
    })
}

/// Reads an object with the keys of a `[[routes]]` entry. All errors are returned together.
pub fn route_of(entry: &Map<String, Value>) -> Result<Route, Vec<EntryError>> {
    let list = ("routes", Noun::Route);
    let mut seen = BTreeSet::new();
    read(entry, list, |cx, root| {
        listed(cx, root, list, |cx, id, table| {
            route::read(cx, id, table, &mut seen)
        })
    })
}

fn read<T>(
    entry: &Map<String, Value>,
    (list, _): (&str, Noun),
    read: impl FnOnce(&mut Report<'_>, &mut Table<'_>) -> Vec<T>,
) -> Result<T, Vec<EntryError>> {
    // The file knows no null: what is null is not there.
    let given = entry.iter().filter(|(_, value)| !value.is_null());
    let (keys, lines): (Vec<&str>, Vec<String>) = given
        .map(|(key, value)| {
            (
                key.as_str(),
                format!("{} = {}\n", quoted(key), inline(value)),
            )
        })
        .unzip();
    let text = format!("[[{list}]]\n{}", lines.concat());
    let (root, syntax_errors) = DeTable::parse_recoverable(&text);
    let mut cx = Report::new(&text, &NoFiles);
    report_syntax(&mut cx, &syntax_errors);
    let mut found = if cx.has_errors() {
        Vec::new()
    } else {
        read(&mut cx, &mut Table::root(root.get_ref()))
    };
    if found.is_empty() && !cx.has_errors() {
        // A name that breaks its grammar leaves no other trace than that nothing has it.
        cx.check_references();
    }
    match found.pop() {
        Some(found) if !cx.has_errors() => Ok(found),
        _ => Err(errors(cx, &keys)),
    }
}

/// Each key has a line of its own after the header, so the line of an error names its key.
fn errors(cx: Report<'_>, keys: &[&str]) -> Vec<EntryError> {
    let found = cx.into_errors("").into_iter();
    let error = |found: Diagnostic| EntryError {
        field: usize::try_from(found.line)
            .ok()
            .and_then(|line| Some((*keys.get(line.checked_sub(2)?)?).to_owned())),
        code: found.code,
        message: found.message,
        // What a file shows beside the caret is told in words.
        hint: found
            .hint
            .or_else(|| found.label.starts_with("wants ").then_some(found.label)),
    };
    found.map(error).collect()
}

/// A text or a key as TOML has it: as JSON has it, but for one character.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// A value on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::Null => quoted(""),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) => {
            let given = entries.iter().filter(|(_, value)| !value.is_null());
            let entries: Vec<String> = given
                .map(|(key, value)| format!("{} = {}", quoted(key), inline(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{MissedPolicy, Overlap, ScheduleTarget, Sink, Trigger};
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(object) => object,
            other => panic!("{other} is no object"),
        }
    }

    fn schedule(value: Value) -> Result<Schedule, Vec<EntryError>> {
        schedule_of(&object(value))
    }

    #[test]
    fn an_entry_is_read_as_the_file_reads_it() {
        let found = schedule(json!({
            "id": "news", "every": "15m", "timezone": "Europe/London", "jitter": "30s",
            "to": {"member": "ada", "flow": null}, "message": "a \"b\"\n\u{7f} \\ ü {{ due }}",
            "missed": {"policy": "all", "within": "2h"}, "overlap": "queue", "enabled": null,
        }));
        let found = found.expect("a schedule");
        assert_eq!(found.trigger, Trigger::EveryMs(900_000));
        assert_eq!(
            found.message.as_deref(),
            Some("a \"b\"\n\u{7f} \\ ü {{ due }}")
        );
        assert_eq!((found.jitter_ms, found.overlap), (30_000, Overlap::Queue));
        assert_eq!(
            (found.missed.policy, found.missed.within_ms),
            (MissedPolicy::All, 7_200_000)
        );
        assert!(found.enabled && matches!(found.to, ScheduleTarget::Member(_)));
        let route = route_of(&object(json!({
            "id": "ops", "match": {"recipient": "ops"}, "rate": {"per_minute": 6},
            "sink": {"kind": "webhook", "url": "https://example.com/in", "secret": {"env": "KEY"}},
        })));
        let route = route.expect("a route");
        assert_eq!(route.matches.channel, "*");
        assert!(matches!(
            route.sink,
            Sink::Webhook {
                secret: Some(_),
                ..
            }
        ));
    }

    #[test]
    fn every_error_names_its_key_and_its_rule() {
        let refused = schedule(json!({
            "id": "news", "cron": "61 * * * *", "to": {"member": "ada"}, "message": "x",
            "timezone": "Europe/Londn", "overlap": "skipp", "color": 1,
        }));
        let mut found: Vec<(Option<String>, String)> = refused
            .expect_err("refused")
            .into_iter()
            .map(|error| (error.field, error.code))
            .collect();
        found.sort();
        let expected = [
            ("color", "definition.key_unknown"),
            ("cron", "definition.cron_invalid"),
            ("overlap", "definition.choice_unknown"),
            ("timezone", "definition.timezone_unknown"),
        ];
        let expected = expected.map(|(key, code)| (Some(key.to_owned()), code.to_owned()));
        assert_eq!(found, expected);
        let empty = schedule(json!({})).expect_err("refused");
        assert!(empty.iter().all(|error| error.field.is_none()), "{empty:?}");
        assert!(empty.iter().any(|error| error.message.contains("\"id\"")));
    }

    #[test]
    fn every_error_names_the_next_step() {
        let refused = schedule(json!({
            "id": "news", "every": "1m", "to": "ada", "message": "{{ due | tim }}",
            "missed": {"policy": "x"}, "jitter": "9999d",
        }));
        let found = refused.expect_err("refused");
        let told = |field: &str| {
            let of_field = found
                .iter()
                .find(|error| error.field.as_deref() == Some(field));
            let error = of_field.unwrap_or_else(|| panic!("nothing about {field}: {found:?}"));
            let hint = error.hint.clone().unwrap_or_default();
            format!("{} {} {hint}", error.code, error.message)
        };
        for (field, words) in [
            ("to", "write { member = "),
            ("missed", "wants skip, latest, all"),
            ("jitter", "must be from 1ms to 3653d"),
            ("message", "filter tim is unknown"),
        ] {
            assert!(told(field).contains(words), "{}", told(field));
        }
    }

    #[test]
    fn what_an_entry_starts_is_told_whatever_else_is_wrong_in_it() {
        let entry = object(json!({"id": 1, "cron": "x", "to": {"member": "ada"}}));
        assert!(
            matches!(target_of(&entry), Some(ScheduleTarget::Member(id)) if id.as_str() == "ada")
        );
        for unclear in [json!({}), json!({"to": "ada"}), json!({"to": {}})] {
            assert_eq!(target_of(&object(unclear)), None);
        }
    }

    #[test]
    fn names_that_break_their_grammar_are_refused_and_unknown_ones_are_not() {
        let to = |member: &str| {
            let to = json!({"member": member});
            schedule(json!({"id": "x", "every": "1m", "to": to, "message": "x"}))
        };
        assert!(to("nobody").is_ok());
        let refused = to("No Body").expect_err("refused");
        assert_eq!(refused[0].code, "definition.member_unknown");
        assert_eq!(refused[0].field.as_deref(), Some("to"));
    }
}
