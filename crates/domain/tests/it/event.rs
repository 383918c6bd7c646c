//! Golden files of events: what the journal holds is read back as it was, and has what clients rely
//! on.

use mobkit_domain::event::{Envelope, Event, KINDS};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden/event")
}

fn text(kind: &str) -> String {
    let path = golden().join(format!("{kind}.json"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The fields of the data that clients rely on, by kind.
fn relied_on(kind: &str) -> Vec<&'static str> {
    let (noun, _) = kind.split_once('.').expect("a kind is noun.verb");
    let mut fields = match noun {
        "member" => vec!["member"],
        "edge" => vec!["a", "b"],
        // A refused message never was one: it has no id.
        "message" if kind == "message.refused" => vec!["from", "to", "code", "reason"],
        "message" => vec!["message"],
        "turn" => vec!["turn", "member"],
        "session" => vec!["session", "turn", "member", "summary"],
        "model" => vec!["model", "turn", "member", "step", "attempt"],
        "tool" => vec!["call", "turn", "member", "tool"],
        "approval" => vec!["approval", "call", "turn", "member", "tool"],
        "grant" => vec!["grant", "member", "tool"],
        "module" => vec!["module"],
        "schedule" => vec!["schedule"],
        "route" => vec!["route"],
        "delivery" => vec!["delivery", "route"],
        "occurrence" => vec!["schedule", "due"],
        "task" => vec!["task"],
        "budget" => vec!["budget", "turn", "member"],
        "engine" => vec!["engine"],
        "host" => vec!["host"],
        "runtime" | "mob" | "error" | "access" => Vec::new(),
        other => panic!("what do clients rely on in events of {other}?"),
    };
    fields.extend(match kind {
        "message.accepted" => ["from", "to", "text"].as_slice(),
        "turn.completed" => &["text"],
        "model.replied" => &["text", "calls", "usage"],
        "tool.finished" => &["result"],
        "approval.requested" => &["args", "digest", "why"],
        kind if kind.starts_with("tool.") => &["args"],
        _ => &[],
    });
    fields
}

#[test]
fn every_kind_has_a_golden_file_and_every_file_a_kind() {
    let files = fs::read_dir(golden())
        .expect("the folder is there")
        .map(|entry| {
            let path = entry.expect("the entry can be read").path();
            let name = path
                .file_stem()
                .and_then(|name| name.to_str())
                .map(str::to_owned);
            name.expect("the name is text")
        });
    let files: BTreeSet<String> = files.collect();
    let kinds: BTreeSet<String> = KINDS.iter().map(|kind| (*kind).to_owned()).collect();
    assert_eq!(files, kinds);
}

#[test]
fn an_event_is_read_and_written_as_in_its_golden_file() {
    for kind in KINDS {
        let text = text(kind);
        let envelope: Envelope =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{kind}: {error}"));
        let written = serde_json::to_string_pretty(&envelope).expect("an event is JSON");
        assert_eq!(written + "\n", text, "{kind}");
        assert_eq!(envelope.event.kind(), *kind);
        assert_eq!(envelope.check_source(), Ok(()), "{kind}");
        assert_eq!(envelope.event.subject(), envelope.subject, "{kind}");
        assert_eq!(envelope.event.turn(), envelope.turn, "{kind}");
    }
}

/// What was written before there were approvals, direct calls and origins.
#[test]
fn an_event_without_the_fields_that_came_later_is_read_and_written_as_it_was() {
    let later = [
        ("message.accepted", vec!["origin"]),
        ("turn.started", vec!["origin"]),
        ("turn.waiting", vec!["approval"]),
        ("tool.started", vec!["approval", "grant", "audit"]),
    ];
    for (kind, fields) in later {
        let mut envelope: Value = serde_json::from_str(&text(kind)).expect("JSON");
        for field in fields {
            let data = envelope["data"].as_object_mut().expect("an object");
            assert!(data.remove(field).is_some(), "{kind} has no {field}");
        }
        let read: Envelope = serde_json::from_value(envelope.clone()).expect("an envelope");
        assert_eq!(
            serde_json::to_value(&read).expect("JSON"),
            envelope,
            "{kind}"
        );
    }
}

#[test]
fn every_matter_and_every_scope_is_read_and_written_as_it_is() {
    let matters = [
        json!({"about": "gate", "gate": "publish"}),
        json!({"about": "definition", "before": "sha256:00", "after": "sha256:01"}),
        json!({"about": "elicitation", "message": "Which?", "schema": {"type": "object"}}),
    ];
    let scopes = [
        json!({"scope": "turn", "turn": "turn-1033"}),
        json!({"scope": "until", "until": "2026-11-22T18:00:00.000Z"}),
    ];
    let replace = |kind: &str, fields: &[&str], by: &Value| {
        let mut envelope: Value = serde_json::from_str(&text(kind)).expect("JSON");
        let data = envelope["data"].as_object_mut().expect("an object");
        for field in fields {
            data.remove(*field);
        }
        data.extend(by.as_object().expect("an object").clone());
        let read: Envelope = serde_json::from_value(envelope.clone()).expect("an envelope");
        assert_eq!(serde_json::to_value(&read).expect("JSON"), envelope, "{by}");
    };
    for matter in &matters {
        replace("approval.requested", &["about", "gate"], matter);
    }
    for scope in &scopes {
        replace("grant.created", &["scope", "until"], scope);
    }
}

#[test]
fn an_event_carries_what_clients_rely_on() {
    for kind in KINDS {
        let envelope: Value = serde_json::from_str(&text(kind)).expect("JSON");
        for field in relied_on(kind) {
            assert!(
                envelope["data"].get(field).is_some(),
                "{kind} has no {field}"
            );
        }
    }
}

#[test]
fn what_clients_rely_on_is_there_even_where_it_is_empty() {
    for kind in KINDS {
        let mut envelope: Value = serde_json::from_str(&text(kind)).expect("JSON");
        for field in relied_on(kind) {
            let data = &mut envelope["data"][field];
            match data {
                Value::Array(items) => items.clear(),
                Value::String(text) if field == "text" => text.clear(),
                _ => {}
            }
        }
        let read: Envelope = serde_json::from_value(envelope.clone()).expect("an envelope");
        assert_eq!(
            serde_json::to_value(&read).expect("JSON"),
            envelope,
            "{kind}"
        );
    }
}

#[test]
fn every_event_has_a_summary_of_one_line() {
    for kind in KINDS {
        let envelope: Envelope = serde_json::from_str(&text(kind)).expect("an envelope");
        let wire = envelope.to_wire();
        let summary = wire["summary"].as_str().expect("a summary");
        assert!(
            !summary.is_empty() && !summary.contains('\n'),
            "{kind}: {summary:?}"
        );
        assert_ne!(summary, *kind, "{kind} has no words of its own");
    }
}

#[test]
fn a_summary_stays_one_short_line_whatever_it_quotes() {
    let mut envelope: Value = serde_json::from_str(&text("turn.failed")).expect("JSON");
    envelope["data"]["reason"] = Value::from("line\n".repeat(1_000));
    let envelope: Envelope = serde_json::from_value(envelope).expect("an envelope");
    let summary = envelope.event.summary();
    assert!(
        !summary.contains('\n') && summary.chars().count() <= 401,
        "{summary}"
    );
}

#[test]
fn the_summary_of_a_log_says_how_many_lines_follow_the_first() {
    for (lines, summary) in [
        (json!(["a"]), "module m: a"),
        (json!(["a", "b"]), "module m: a (and 1 more line)"),
        (json!(["a", "b", "c"]), "module m: a (and 2 more lines)"),
    ] {
        let event = json!({"kind": "module.log", "data": {"module": "m", "lines": lines}});
        let event: Event = serde_json::from_value(event).expect("an event");
        assert_eq!(event.summary(), summary);
    }
}

#[test]
fn the_summary_of_an_error_names_whom_it_met_and_why() {
    let cases = [
        (
            json!({"error_kind": "turn_failed", "member": "ann", "turn": "turn-3",
                   "class": "model", "reason": "no luck"}),
            "error: turn_failed of ann: no luck",
        ),
        (
            json!({"error_kind": "spawn_failure", "member": "ann", "profile": "desk",
                   "error": "no binary"}),
            "error: spawn_failure of ann: no binary",
        ),
        (
            json!({"error_kind": "rediscover_failure", "error": "no source"}),
            "error: rediscover_failure: no source",
        ),
        (
            json!({"error_kind": "reconcile_incomplete", "failures": ["ann: no room"],
                   "skipped": []}),
            "error: reconcile_incomplete: 1 failed, 0 skipped: ann: no room",
        ),
        (
            json!({"error_kind": "reconcile_incomplete", "failures": [], "skipped": ["ann"]}),
            "error: reconcile_incomplete: 0 failed, 1 skipped: ann",
        ),
    ];
    for (data, summary) in cases {
        let event = json!({"kind": "error.raised", "data": data});
        let event: Event = serde_json::from_value(event).expect("an event");
        assert_eq!(event.summary(), summary);
        assert_eq!(event.turn().is_some(), summary.contains("turn_failed"));
    }
}

#[test]
fn the_summary_of_an_answer_that_was_cut_says_so() {
    let mut envelope: Value = serde_json::from_str(&text("turn.completed")).expect("JSON");
    let summary = |envelope: &Value| {
        let envelope: Envelope = serde_json::from_value(envelope.clone()).expect("an envelope");
        envelope.event.summary()
    };
    assert_eq!(
        summary(&envelope),
        "editor answered (cut at the limit of tokens): The day is planned."
    );
    let data = envelope["data"].as_object_mut().expect("an object");
    data.remove("finish");
    assert_eq!(summary(&envelope), "editor answered: The day is planned.");
}
