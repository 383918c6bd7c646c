//! Following the journal.

use crate::fake::{Fake, Reply, problem};
use crate::mob::{NDJSON, events};
use crate::program::Place;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

fn journal(count: u64) -> Vec<Value> {
    let event = |seq| {
        json!({"seq": seq, "time": "2026-11-22T06:00:00.123Z", "kind": "turn.failed",
            "subject": "member/desk", "summary": format!("desk failed turn-{seq}"), "data": {}})
    };
    (1..=count).map(event).collect()
}

fn serving(count: u64) -> Fake {
    let journal = journal(count);
    Fake::start(move |request| Reply::Text(200, NDJSON, events(&journal, request)))
}

#[test]
fn a_line_for_each_event() {
    let server = serving(2);
    let run = Place::of(&server).run(&["logs", "desk"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(run.stdout, @r"
    2026-11-22T06:00:00.123Z desk             turn.failed          desk failed turn-1
    2026-11-22T06:00:00.123Z desk             turn.failed          desk failed turn-2
    ");
    let request = &server.seen()[0];
    assert_eq!(request.query["subject"], "member/desk");
    assert_eq!(
        (
            request.query["after"].as_str(),
            request.query["follow"].as_str()
        ),
        ("0", "false")
    );
}

#[test]
fn the_tail_is_the_end() {
    let run = Place::of(&serving(50)).run(&["logs", "-n", "2", "--json"]);
    let seqs: Vec<Value> = run
        .documents()
        .iter()
        .map(|event| event["seq"].clone())
        .collect();
    assert_eq!((run.code, seqs), (0, vec![json!(49), json!(50)]));
}

#[test]
fn events_are_printed_as_they_are_in_the_journal() {
    let server = serving(5);
    let words = [
        "events",
        "--after",
        "2",
        "--kinds",
        "turn.failed",
        "--source",
        "agent",
        "--subject",
        "mob",
    ];
    let run = Place::of(&server).run(&words);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.documents(), journal(5)[2..]);
    let query = &server.seen()[0].query;
    assert_eq!(
        (query["source"].as_str(), query["subject"].as_str()),
        ("agent", "mob")
    );
}

#[test]
fn what_is_no_longer_kept_is_said_and_left_out() {
    let journal = journal(9);
    let server = Fake::start(move |request| {
        if request.query["after"] == "0" {
            let body = json!({"kind": "gone", "code": "cursor_expired", "title": "too old",
                "oldest": 7, "latest": 9});
            return Reply::Text(410, "application/problem+json", body.to_string());
        }
        Reply::Text(200, NDJSON, events(&journal, request))
    });
    let place = Place::of(&server);
    let run = place.run(&["logs"]);
    assert_eq!((run.code, run.stdout.lines().count()), (0, 3), "{run:?}");
    assert!(
        run.stderr.contains("events before 7 are no longer kept"),
        "{run:?}"
    );
    assert_eq!(place.run(&["events"]).code, 4);
}

#[test]
fn a_place_that_does_not_exist_yet_is_a_conflict() {
    let server = Fake::start(|_| problem(409, "conflict", "cursor_ahead", "the head is 5"));
    assert_eq!(Place::of(&server).run(&["events", "--after", "99"]).code, 6);
}

#[test]
fn a_reader_that_loses_its_stream_sees_each_event_once() {
    const COUNT: u64 = 200;
    let journal = journal(COUNT);
    let server = Fake::start(move |request| {
        let rest = events(&journal, request);
        // Every stream breaks after some bytes, in the middle of a line more often than not.
        if rest.len() > 3_001 {
            Reply::Cut(NDJSON, rest[..3_001].to_owned())
        } else {
            Reply::Text(200, NDJSON, rest)
        }
    });
    let run = Place::of(&server).run(&["events"]);
    assert_eq!(run.code, 0, "{run:?}");
    let seqs: Vec<u64> = run
        .documents()
        .iter()
        .filter_map(|event| event["seq"].as_u64())
        .collect();
    assert_eq!(seqs, (1..=COUNT).collect::<Vec<u64>>());
    assert!(server.seen().len() > 5);
}

#[test]
fn following_ends_with_130_at_ctrl_c() {
    let journal = journal(1);
    let server = Fake::start(move |request| Reply::Hold(NDJSON, events(&journal, request)));
    let place = Place::of(&server);
    let mut command = place.command(&["logs", "-f"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    stdout.read_line(&mut line).expect("the first event");
    assert!(line.contains("desk failed turn-1"), "{line}");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(130), &b""[..])
    );
}

#[test]
fn a_reader_that_goes_ends_the_command() {
    let journal = journal(20_000);
    let server = Fake::start(move |request| Reply::Hold(NDJSON, events(&journal, request)));
    let place = Place::of(&server);
    let mut command = place.command(&["events", "-f"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(1), &b""[..])
    );
}

#[test]
fn nobody_has_no_logs() {
    let server = Fake::start(|request| match request.path.as_str() {
        "/api/v1/member/get" => problem(404, "missing", "member.not_found", "no \"nobody\""),
        _ => Reply::Text(200, NDJSON, String::new()),
    });
    let place = Place::of(&server);
    for words in [&["logs", "nobody"][..], &["logs", "nobody", "-n", "5"]] {
        let run = place.run(words);
        assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{run:?}");
        assert!(run.stderr.starts_with("error[member.not_found]"), "{run:?}");
    }
    assert_eq!(place.run(&["logs"]).code, 0);
}

#[test]
fn who_was_deleted_still_has_logs() {
    let journal = journal(1);
    let server = Fake::start(move |request| match request.path.as_str() {
        "/api/v1/member/get" => problem(404, "missing", "member.not_found", "no \"desk\""),
        _ => Reply::Text(200, NDJSON, events(&journal, request)),
    });
    let run = Place::of(&server).run(&["logs", "desk"]);
    assert_eq!((run.code, run.stdout.lines().count()), (0, 1), "{run:?}");
}
