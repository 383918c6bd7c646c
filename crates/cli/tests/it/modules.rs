//! The commands about modules.

use crate::fake::{Fake, Reply, problem};
use crate::mob::NDJSON;
use crate::program::Place;
use serde_json::{Value, json};

#[test]
fn modules_are_listed_with_what_needs_attention_first() {
    let server = Fake::always(
        200,
        json!({"modules": [
            {"id": "feed", "state": "healthy", "pid": 4_711, "restarts": 0, "tools": ["read"],
                "since": "2026-11-22T06:00:00.000Z"},
            {"id": "mail", "state": "quarantined", "restarts": 6, "tools": [],
                "since": "2026-11-22T06:00:00.000Z", "reason": "exit status 1"},
        ]}),
    );
    let place = Place::of(&server);
    let run = place.run(&["modules"]);
    assert_eq!(run.code, 0, "{run:?}");
    let first: Vec<&str> = run
        .stdout
        .lines()
        .map(|line| line.split(' ').next().unwrap_or_default())
        .collect();
    assert_eq!(first, ["ID", "mail", "feed"]);
    assert!(run.stderr.contains("mobkit modules log mail"), "{run:?}");
    let document = place.run(&["modules", "--json"]).document();
    assert_eq!(document["modules"][0]["id"], "mail");
    let none = Fake::always(200, json!({"modules": []}));
    let run = Place::of(&none).run(&["modules"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
    assert!(run.stderr.starts_with("no modules; "), "{run:?}");
}

#[test]
fn an_id_without_a_verb_is_told_the_verb() {
    let place = Place::empty();
    let run = place.run(&["modules", "zz"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
    let hint = "`mobkit modules show zz` shows one of them, `mobkit modules --help` lists its \
                commands";
    assert!(run.stderr.contains(hint), "{run:?}");
    let document = place.run(&["--json", "modules", "zz"]).document();
    assert_eq!(document["error"]["hint"], hint);
    let run = place.run(&["grants", "zz"]);
    assert!(
        run.stderr.contains("tip: `mobkit grants --help` lists"),
        "{run:?}"
    );
    let run = place.run(&["modules", "stopp"]);
    assert!(!run.stderr.contains("modules show"), "{run:?}");
}

#[test]
fn an_order_is_done_when_the_module_is_where_it_should_be() {
    for (verb, state, code) in [
        ("start", "healthy", 0),
        ("restart", "healthy", 0),
        ("stop", "stopped", 0),
        ("start", "quarantined", 1),
        ("restart", "restarting", 1),
        ("restart", "starting", 7),
        ("stop", "stopping", 7),
    ] {
        let answer = json!({"module": "mail", "state": state, "reason": "exit status 1", "seq": 9});
        let server = Fake::always(200, answer);
        let run = Place::of(&server).run(&["modules", verb, "mail"]);
        assert_eq!(run.code, code, "{verb} {state}: {run:?}");
        let request = &server.seen()[0];
        assert_eq!(request.path, format!("/api/v1/module/{verb}"));
        assert_eq!(request.body["module"], "mail");
        if code == 0 {
            assert_eq!(run.stdout, format!("mail is {state}\n"));
        } else {
            assert!(run.stderr.contains("exit status 1"), "{run:?}");
            assert!(run.stderr.contains("mobkit modules log mail"), "{run:?}");
        }
    }
}

#[test]
fn a_module_that_is_not_there_is_4() {
    let server =
        Fake::start(|_| problem(404, "missing", "module.not_found", "there is no module x"));
    let place = Place::of(&server);
    for words in [
        &["modules", "show", "x"][..],
        &["modules", "start", "x"],
        &["modules", "call", "x", "t"],
        &["modules", "log", "x"],
        &["modules", "tools", "x"],
        &["logs", "module:x", "-f"],
    ] {
        let run = place.run(words);
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (4, ""),
            "{words:?} {run:?}"
        );
        if words[0] == "modules" {
            assert!(
                run.stderr
                    .contains("see which there are with `mobkit modules`"),
                "{run:?}"
            );
        }
    }
}

#[test]
fn a_call_prints_its_result_alone() {
    for (result, stdout) in [
        (json!("plain text"), "plain text\n"),
        (json!({"n": 3}), "{\"n\":3}\n"),
    ] {
        let server = Fake::always(200, json!({"result": result, "call": "call-9-0"}));
        let words = ["modules", "call", "mail", "send", "to=ada", "copies=2"];
        let run = Place::of(&server).run(&words);
        assert_eq!(
            (run.code, run.stdout.as_str(), run.stderr.as_str()),
            (0, stdout, "")
        );
        let expected =
            json!({"module": "mail", "tool": "send", "args": {"to": "ada", "copies": 2}});
        assert_eq!(server.seen()[0].body, expected);
    }
    let server = Fake::always(200, json!({"result": "r", "call": "call-9-0"}));
    let run = Place::of(&server).run(&["modules", "call", "m", "t", "{\"a\": [1]}", "--json"]);
    assert_eq!(run.document(), json!({"result": "r", "call": "call-9-0"}));
    assert_eq!(server.seen()[0].body["args"], json!({"a": [1]}));
}

#[test]
fn a_call_that_fails_is_1_and_made_once() {
    for code in ["tool.failed", "tool.unknown", "module.unavailable"] {
        let body = json!({"kind": "unavailable", "code": code, "title": "mail/send failed: no",
            "hint": "`module/log` shows what the module wrote"});
        let server = Fake::always(503, body);
        let run = Place::of(&server).run(&["modules", "call", "mail", "send"]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
        assert!(
            run.stderr.starts_with(&format!("error[{code}]: ")),
            "{run:?}"
        );
        assert_eq!(server.seen().len(), 1);
    }
    let run = Place::of(&Fake::always(200, json!({}))).run(&["modules", "call", "m", "t", "oops"]);
    assert_eq!(run.code, 2, "{run:?}");
}

#[test]
fn a_call_that_takes_too_long_goes_on() {
    let server = Fake::start(|_| Reply::Hold("application/json", String::new()));
    let words = ["modules", "call", "mail", "send", "--timeout", "200ms"];
    let run = Place::of(&server).run(&words);
    assert_eq!((run.code, run.stdout.as_str()), (7, ""), "{run:?}");
    assert!(run.stderr.contains("mobkit logs module:mail"), "{run:?}");
}

fn line(seq: u64, text: &str) -> Value {
    json!({"seq": seq, "time": "2026-11-22T06:00:00.123Z", "line": text})
}

#[test]
fn the_log_of_a_module_is_its_lines() {
    let lines = [line(5, "one"), line(5, "two"), line(8, "three")];
    let server = Fake::always(200, json!({"lines": lines, "next_after": 9}));
    let place = Place::of(&server);
    let run = place.run(&["modules", "log", "feed", "-n", "2"]);
    assert_eq!(run.code, 0, "{run:?}");
    let expected = "2026-11-22T06:00:00.123Z two\n2026-11-22T06:00:00.123Z three\n";
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), (expected, ""));
    assert_eq!(server.seen()[0].body, json!({"module": "feed", "limit": 2}));
    let document = place.run(&["modules", "log", "feed", "--json"]).document();
    assert_eq!(document["lines"][2]["line"], "three");
    // More than a server tells at once is refused, not cut in silence.
    let run = place.run(&["modules", "log", "feed", "-n", "5000"]);
    assert_eq!((run.code, server.seen().len()), (2, 2), "{run:?}");
}

#[test]
fn a_followed_log_goes_on_where_the_lines_end() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;
    let server = Fake::start(|request| {
        if request.path == "/api/v1/module/log" {
            return Reply::Json(200, json!({"lines": [line(5, "one")], "next_after": 9}));
        }
        assert_eq!(request.query["after"], "9");
        assert_eq!(request.query["subject"], "module/feed");
        let event = json!({"seq": 12, "time": "2026-11-22T06:00:00.456Z", "kind": "module.log",
            "data": {"module": "feed", "lines": ["two", "three"], "dropped": 7}});
        Reply::Hold(NDJSON, format!("{event}\n"))
    });
    let place = Place::of(&server);
    let mut command = place.command(&["modules", "log", "feed", "-f", "--json"]);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let lines: Vec<Value> = lines
        .take(3)
        .map(|line| serde_json::from_str(&line.expect("text")).expect("a document"))
        .collect();
    let texts: Vec<&Value> = lines.iter().map(|line| &line["line"]).collect();
    assert_eq!(texts, ["one", "two", "three"]);
    assert_eq!(
        (&lines[1]["dropped"], &lines[1]["seq"]),
        (&json!(7), &json!(12))
    );
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
}

#[test]
fn logs_may_be_about_a_module() {
    let event = json!({"seq": 3, "time": "2026-11-22T06:00:00.123Z", "kind": "module.healthy",
        "subject": "module/feed", "data": {"module": "feed"},
        "summary": "module feed is healthy, mcp 2026-07-28"});
    let server = Fake::start(move |_| Reply::Text(200, NDJSON, format!("{event}\n")));
    let run = Place::of(&server).run(&["logs", "module:feed"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(server.seen()[0].query["subject"], "module/feed");
    let expected = "2026-11-22T06:00:00.123Z module/feed      module.healthy       module feed is \
                    healthy, mcp 2026-07-28\n";
    assert_eq!(run.stdout, expected);
}

#[test]
fn status_and_ps_say_what_needs_a_person() {
    let server = Fake::start(|request| {
        let body = match request.path.as_str() {
            "/api/v1/mob/status" => json!({"mob": "m", "state": "running", "members": 1,
                "head": 40, "epoch": 1, "version": "0.1.0"}),
            "/api/v1/approval/list" => json!({"approvals": [
                {"id": "apr-12", "tool": "module:mail/send", "member": "writer"}]}),
            "/api/v1/module/list" => json!({"modules": [
                {"id": "feed", "state": "healthy"},
                {"id": "mail", "state": "quarantined", "reason": "exit status 1"}]}),
            "/api/v1/member/list" => json!({"members": [{"id": "writer", "profile": "w",
                "state": "waiting", "queue_len": 0, "tokens": 1, "cost_usd": null,
                "waiting_for": "approval", "turn": "turn-9",
                "waiting_on": {"what": "approval", "call": "call-10-1", "approval": "apr-12"}}]}),
            _ => json!({"store": "sqlite", "durability": "power", "pid": 1}),
        };
        Reply::Json(200, body)
    });
    let place = Place::of(&server);
    let run = place.run(&["status"]);
    assert_eq!(run.code, 0, "{run:?}");
    insta::assert_snapshot!(run.stdout, @r"
    m running
    members    1
    approvals  apr-12 waits: writer wants module:mail/send
    modules    mail quarantined (exit status 1), 1 healthy
    journal    40 events, epoch 1
    store      sqlite, durability power
    server     mobkit 0.1.0, pid 1
    ");
    assert_eq!(
        run.stderr,
        "see what waits for a decision with `mobkit approvals`\n"
    );
    let document = place.run(&["status", "--json"]).document();
    assert_eq!(document["approvals_pending"], 1, "{document}");
    assert_eq!(document["modules"][1]["id"], "mail", "{document}");
    let run = place.run(&["ps"]);
    assert!(
        run.stdout.contains("waiting on approval apr-12  writer"),
        "{run:?}"
    );
    assert_eq!(
        run.stderr,
        "1 member waits for a person: see `mobkit approvals`\n"
    );
}
