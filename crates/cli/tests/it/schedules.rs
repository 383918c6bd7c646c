//! The commands about schedules.

use crate::fake::{Fake, Reply, problem};
use crate::program::Place;
use serde_json::{Value, json};

/// A mob file with a schedule.
const MOB: &str = r#"[mob]
id = "m"

[models.m]
provider = "rehearsal"

[profiles.p]
model = "m"
instructions = "Do."

[[members]]
id = "editor"
profile = "p"

[[schedules]]
id = "morning"
cron = "30 1 * * *"
timezone = "Europe/London"
to = { member = "editor" }
message = "Begin."
"#;

/// The lines of a table with one space between cells, without the last column: how long it is to
/// each time depends on when the test runs.
fn times(stdout: &str) -> Vec<String> {
    let cells = |line: &str| {
        let cells: Vec<&str> = line.split("  ").map(str::trim).collect();
        let cells: Vec<&str> = cells.into_iter().filter(|cell| !cell.is_empty()).collect();
        cells[..cells.len() - 1].join(" | ")
    };
    stdout.lines().map(cells).collect()
}

fn next(words: &[&str]) -> crate::program::Run {
    Place::empty().run(&[&["schedule", "next"], words].concat())
}

#[test]
fn a_time_that_the_clock_skips_is_due_when_it_goes_on() {
    let words = ["--cron", "30 1 * * *", "--tz", "Europe/London", "-n", "3"];
    let run = next(&[&words[..], &["--after", "2027-03-27T00:00:00Z"]].concat());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    let expected = [
        "Europe/London | UTC",
        "Sat 2027-03-27 01:30:00 GMT | Sat 2027-03-27 01:30:00 UTC",
        "Sun 2027-03-28 02:00:00 BST | Sun 2027-03-28 01:00:00 UTC",
        "Mon 2027-03-29 01:30:00 BST | Mon 2027-03-29 00:30:00 UTC",
    ];
    assert_eq!(times(&run.stdout), expected);
    let run = next(&[
        "--at",
        "2027-03-28T01:30",
        "--tz",
        "Europe/London",
        "--after",
        "2027-01-01T00:00:00Z",
        "--json",
    ]);
    let expected = json!({
        "due": ["2027-03-28T01:00:00.000Z"], "local": ["2027-03-28T02:00:00+01:00"],
        "timezone": "Europe/London",
    });
    assert_eq!(run.document(), expected);
}

#[test]
fn a_time_that_the_clock_shows_twice_is_due_once() {
    let words = ["--cron", "30 1 * * *", "--tz", "Europe/London", "-n", "2"];
    let run = next(&[&words[..], &["--after", "2027-10-30T12:00:00Z"]].concat());
    let expected = [
        "Europe/London | UTC",
        "Sun 2027-10-31 01:30:00 BST | Sun 2027-10-31 00:30:00 UTC",
        "Mon 2027-11-01 01:30:00 GMT | Mon 2027-11-01 01:30:00 UTC",
    ];
    assert_eq!(times(&run.stdout), expected, "{run:?}");
}

#[test]
fn an_interval_counts_from_now_and_a_time_that_has_passed_is_not_due() {
    let after = ["--after", "2027-01-01T00:00:00Z"];
    let run = next(&[&["--every", "15m", "-n", "2"], &after[..]].concat());
    let expected = [
        "UTC",
        "Fri 2027-01-01 00:15:00 UTC",
        "Fri 2027-01-01 00:30:00 UTC",
    ];
    assert_eq!(times(&run.stdout), expected, "{run:?}");
    let run = next(&[&["--at", "2026-12-31T23:59"], &after[..]].concat());
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{run:?}");
    assert!(run.stderr.contains("not due any more"), "{run:?}");
}

#[test]
fn what_is_no_time_is_a_usage_error_that_says_so() {
    for (words, code) in [
        (&["--cron", "61 * * * *"][..], "definition.cron_invalid"),
        (&["--every", "soon"], "definition."),
        (&["--at", "2027-13-01T00:00"], "definition."),
        (
            &["--cron", "* * * * *", "--tz", "Europe/Londn"],
            "definition.timezone_unknown",
        ),
    ] {
        let run = next(words);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        assert!(run.stderr.starts_with(&format!("error[{code}")), "{run:?}");
    }
    for words in [
        &[][..],
        &["s", "--cron", "* * * * *"],
        &["s", "--tz", "UTC"],
        &["--every", "1m", "-n", "0"],
        &["--every", "1m", "--file", "mob.toml"],
    ] {
        assert_eq!(next(words).code, 2, "{words:?}");
    }
}

#[test]
fn without_a_server_the_mob_file_knows_its_schedules() {
    let place = Place::empty();
    assert_eq!(place.run(&["schedule", "next", "morning"]).code, 9);
    place.write("mob.toml", MOB);
    let run = place.run(&["schedule", "next", "morning", "-n", "2"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.stdout.lines().count(), 3, "{run:?}");
    assert!(run.stderr.starts_with("no server runs; "), "{run:?}");
    let document = place
        .run(&["schedule", "next", "morning", "--json"])
        .document();
    assert_eq!(document["timezone"], "Europe/London");
    assert_eq!(document["due"].as_array().map(Vec::len), Some(5));
    let run = place.run(&["schedule", "next", "evening"]);
    assert_eq!(run.code, 4, "{run:?}");
    assert!(run.stderr.contains("it has morning"), "{run:?}");
    // Whoever names a server means that one.
    let url = ["schedule", "next", "morning", "--url", "http://127.0.0.1:1"];
    assert_eq!(place.run(&url).code, 9);
}

#[test]
fn with_a_server_the_server_is_asked() {
    let server = Fake::start(|request| match request.path.as_str() {
        "/api/v1/schedule/get" => Reply::Json(
            200,
            json!({"id": "s", "timezone": "Europe/London", "paused": true, "enabled": true}),
        ),
        _ => Reply::Json(200, json!({"due": ["2027-03-28T01:00:00.000Z"]})),
    });
    let place = Place::of(&server);
    place.write("mob.toml", MOB);
    let run = place.run(&["schedule", "next", "morning", "-n", "1"]);
    assert_eq!(run.code, 0, "{run:?}");
    let expected = "Sun 2027-03-28 02:00:00 BST | Sun 2027-03-28 01:00:00 UTC";
    assert_eq!(times(&run.stdout)[1], expected);
    assert!(run.stderr.contains("does not fire"), "{run:?}");
    let seen = server.seen();
    assert_eq!(seen[1].path, "/api/v1/schedule/preview");
    assert_eq!(seen[1].body, json!({"schedule": "morning", "n": 1}));
    place.run(&["schedule", "next", "morning", "--file", "mob.toml"]);
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn schedules_are_listed_and_an_empty_list_says_how_to_begin() {
    let schedule = json!({"id": "morning", "cron": "0 7 * * *", "timezone": "UTC", "open": 0,
        "to": {"member": "editor"}, "enabled": true, "paused": true});
    let server = Fake::always(200, json!({"schedules": [schedule]}));
    let place = Place::of(&server);
    let run = place.run(&["schedule"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        run.stdout,
        "ID       WHEN       ZONE  NEXT  LAST  TARGET         STATE\n\
         morning  0 7 * * *  UTC   -     -     member editor  paused\n"
    );
    assert_eq!(place.run(&["schedule", "list"]).stdout, run.stdout);
    let document = place.run(&["schedule", "--json"]).document();
    assert_eq!(document["schedules"][0]["id"], "morning");
    let none = Fake::always(200, json!({"schedules": []}));
    let run = Place::of(&none).run(&["schedule"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
    assert!(run.stderr.starts_with("no schedules; "), "{run:?}");
}

#[test]
fn each_change_is_one_call_with_a_key() {
    let server = Fake::always(200, json!({"schedule": "s", "seq": 9}));
    let place = Place::of(&server);
    for (words, path, said) in [
        (&["rm", "s"][..], "remove", "removed s\n"),
        (&["pause", "s", "-m", "holiday"], "pause", "paused s\n"),
        (&["resume", "s"], "resume", "resumed s\n"),
        (&["trigger", "s"], "trigger", "triggered s\n"),
    ] {
        let run = place.run(&[&["schedule"], words].concat());
        assert_eq!((run.code, run.stdout.as_str()), (0, said), "{run:?}");
        let request = server.seen().pop().expect("a request");
        assert_eq!(request.path, format!("/api/v1/schedule/{path}"));
        assert_eq!(request.body["schedule"], "s");
        assert!(request.body["key"].is_string(), "{request:?}");
        let reason = (path == "pause").then_some("holiday");
        assert_eq!(request.body["reason"].as_str(), reason);
    }
}

#[test]
fn a_schedule_is_put_from_json_and_toml() {
    let answer = json!({"schedule": "s", "seq": 9, "next": "2027-01-01T07:00:00.000Z"});
    let server = Fake::always(200, answer);
    let place = Place::of(&server);
    place.write(
        "s.toml",
        "id = \"s\"\nevery = \"15m\"\nto = { member = \"x\" }\n",
    );
    let run = place.run(&["schedule", "put", "s.toml"]);
    assert_eq!(
        run.stdout, "s fires next at 2027-01-01T07:00:00.000Z\n",
        "{run:?}"
    );
    let stdin = "{\"id\": \"s\", \"every\": \"15m\", \"to\": {\"member\": \"x\"}}";
    let run = place.run_with(&["schedule", "put", "-", "--json"], stdin);
    assert_eq!(run.document()["schedule"], "s");
    for request in server.seen() {
        let mut body = request.body;
        assert!(body["key"].is_string());
        body["key"] = Value::Null;
        let expected = json!({"id": "s", "every": "15m", "to": {"member": "x"}, "key": null});
        assert_eq!(body, expected);
    }
    assert_eq!(place.run(&["schedule", "put", "none.toml"]).code, 4);
    assert_eq!(place.run_with(&["schedule", "put", "-"], "id = ").code, 2);
}

#[test]
fn every_fault_of_a_schedule_is_told() {
    let server = Fake::start(|_| {
        let body = json!({"status": 400, "title": "t", "kind": "invalid",
            "code": "definition.cron_invalid", "detail": "the minute is wrong", "problems": [
                {"code": "definition.cron_invalid", "message": "the minute is wrong"},
                {"code": "definition.key_unknown", "message": "\"color\" is unknown"}]});
        Reply::Text(400, "application/problem+json", body.to_string())
    });
    let run = Place::of(&server).run_with(&["schedule", "put", "-"], "{\"id\": \"s\"}");
    assert_eq!(run.code, 3, "{run:?}");
    let expected = "error[definition.key_unknown]: \"color\" is unknown\n\
                    error[definition.cron_invalid]: the minute is wrong\n";
    assert!(run.stderr.starts_with(expected), "{run:?}");
}

#[test]
fn refusals_have_their_codes() {
    for (status, kind, code, exit) in [
        (404, "missing", "schedule.not_found", 4),
        (403, "denied", "access.denied", 5),
        (409, "conflict", "schedule.of_file", 6),
    ] {
        let server = Fake::start(move |_| problem(status, kind, code, "no"));
        for words in [&["schedule", "rm", "s"][..], &["schedule", "runs", "s"]] {
            assert_eq!(Place::of(&server).run(words).code, exit, "{code}");
        }
    }
}

#[test]
fn the_runs_of_a_schedule_may_be_of_one_state() {
    let occurrence = json!({"due": "2026-11-22T07:00:00.000Z", "state": "failed", "attempts": 2,
        "occasion": "due", "reason": "the member is retired"});
    let page = json!({"occurrences": [occurrence], "next_cursor": "c"});
    let server = Fake::always(200, page);
    let place = Place::of(&server);
    let run = place.run(&["schedule", "runs", "s", "--in", "failed", "-n", "1"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("the member is retired"), "{run:?}");
    assert!(run.stderr.contains("older ones"), "{run:?}");
    let expected = json!({"schedule": "s", "state": "failed", "limit": 1});
    assert_eq!(server.seen()[0].body, expected);
    assert_eq!(
        place.run(&["schedule", "runs", "s", "--in", "gone"]).code,
        2
    );
}

#[test]
fn the_past_is_made_up_for_only_when_asked() {
    let answer = json!({"schedule": "s", "dues": ["2026-11-01T07:00:00.000Z"], "more": true,
        "seq": 9});
    let server = Fake::always(200, answer);
    let place = Place::of(&server);
    let stretch = [
        "--from",
        "2026-11-01T00:00:00Z",
        "--to",
        "2026-11-02T00:00:00Z",
    ];
    let words = [&["schedule", "backfill", "s"], &stretch[..]].concat();
    assert_eq!((place.run(&words).code, server.seen().len()), (2, 0));
    let run = place.run(&[&words[..], &["--yes"]].concat());
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "2026-11-01T07:00:00.000Z\n"),
        "{run:?}"
    );
    assert!(run.stderr.contains("say the same again"), "{run:?}");
    assert_eq!(server.seen()[0].body["from"], "2026-11-01T00:00:00Z");
    let back = [
        "--from",
        "2026-11-02T00:00:00Z",
        "--to",
        "2026-11-01T00:00:00Z",
        "--yes",
    ];
    assert_eq!(
        place
            .run(&[&["schedule", "backfill", "s"], &back[..]].concat())
            .code,
        2
    );
}
