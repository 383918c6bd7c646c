//! `mobkit down`: the mob stops in order, and whoever asked hears how.

use crate::fake::Fake;
use crate::hands::wait_for;
use crate::program::{Place, TOKEN};
use crate::running::{Example, Up};
use serde_json::{Value, json};
use std::process::Stdio;

const MOB: &str = r#"
[mob]
id = "desk"
[models.main]
provider = "rehearsal"
script = "rehearsal.toml"
[profiles.hand]
model = "main"
instructions = "You do what you are told."
tools = ["module:held/*"]
[[members]]
id = "hand"
profile = "hand"
[[modules]]
id = "held"
transport = "json-lines"
command = ["python3", "held.py"]
effects = { wait = "read" }
"#;

const SCRIPT: &str = r#"
[[rules]]
when = { step = 1 }
call = [{ tool = "module:held/wait", args = {} }]
[[rules]]
when = { step = 2 }
say = "{{ result }}"
"#;

/// Answers a call when somebody writes into the pipe.
const HELD: &str = r#"
import json, os, sys
os.mkfifo("gate")
for line in sys.stdin:
    request = json.loads(line)
    result = {}
    if request.get("list") == "tools":
        result = {"tools": [{"name": "wait", "description": "Waits"}]}
    elif request.get("tool") == "wait":
        with open("gate") as gate:
            result = gate.read()
    print(json.dumps({"id": request["id"], "result": result}), flush=True)
"#;

fn started() -> (Example, Up) {
    let files = [
        ("mob.toml", MOB),
        ("rehearsal.toml", SCRIPT),
        ("held.py", HELD),
    ];
    let desk = Example::written(&files);
    let mut up = desk.up();
    up.document();
    (desk, up)
}

#[test]
fn it_waits_for_the_turns_and_joins_a_stop_that_is_under_way() {
    let (desk, up) = started();
    assert_eq!(desk.run(&["send", "hand", "go"]).code, 0);
    wait_for(&desk, "tool.started", "member/hand");
    let mut first = desk.command(&["down"]);
    let first = first.stdout(Stdio::piped()).stderr(Stdio::piped());
    let first = first.spawn().expect("the binary starts");
    wait_for(&desk, "runtime.draining", "runtime");

    let late = desk.run(&["down", "--timeout", "200ms", "--json"]);
    assert_eq!(late.code, 7, "{late:?}");
    assert_eq!(late.document()["error"]["code"], "down.timed_out");

    let mut joined = desk.command(&["down", "--json"]);
    let joined = joined.stdout(Stdio::piped()).spawn();
    let joined = joined.expect("the binary starts");
    std::fs::write(desk.mob().join("gate"), "done").expect("the module reads");
    let first = first.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&first.stdout);
    assert_eq!(said, "stopped: 1 turn finished\n", "{first:?}");
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    // It is too late for whoever came when nobody listened any longer.
    let joined = joined.wait_with_output().expect("it ends");
    let report: Value = serde_json::from_slice(&joined.stdout).expect("a document");
    match joined.status.code() {
        Some(0) => assert_eq!(report["report"]["drain"]["turns_finished"], 1, "{report}"),
        code => assert_eq!(
            (code, &report["error"]["kind"]),
            (Some(9), &json!("unavailable"))
        ),
    }

    // Another start would find everything free.
    assert!(!desk.state().join("server.json").exists());
    assert_eq!(up.end(), Some(0));
    let again = desk.run(&["down"]);
    assert_eq!(again.code, 9, "{again:?}");
    assert!(again.stderr.contains("server.not_running"), "{again:?}");
}

fn report(killed: bool) -> Value {
    let modules = json!([{"id": "slow", "outcome": "killed", "took_ms": 4_100}]);
    json!({
        "state": "stopped",
        "drain": {"turns_finished": 0, "turns_cancelled": 0, "turns_checkpointed": 2,
            "deliveries_left": 0, "events_flushed": 3, "timed_out": false, "took_ms": 5},
        "modules": if killed { modules } else { json!([]) },
        "orphan_processes": 0, "engines": [], "tasks_dropped": [], "journal_seq": 9,
        "problems": [],
    })
}

#[test]
fn a_stop_that_was_not_in_order_is_a_failure() {
    for (killed, code) in [(false, 0), (true, 1)] {
        let server = Fake::always(200, report(killed));
        let words = ["down", "--url", server.url(), "--token", TOKEN];
        let place = Place::empty();
        let run = place.run(&words);
        assert_eq!(run.code, code, "{run:?}");
        let first = "stopped: 2 turns put aside for the next start\n";
        assert!(run.stdout.starts_with(first), "{run:?}");
        assert_eq!(run.stdout.contains("SIGKILL"), killed, "{run:?}");
        let run = place.run(&[&words[..], &["--json"]].concat());
        let expected = json!({"state": "stopped", "clean": !killed, "report": report(killed)});
        assert_eq!((run.code, run.document()), (code, expected));
        let asked = server.seen().pop().expect("a request");
        assert_eq!(asked.path, "/api/v1/system/shutdown");
        assert_eq!(asked.body, json!({"wait": true}));
    }
}

#[test]
fn an_answer_that_is_no_report_is_not_taken_for_one() {
    let server = Fake::always(200, json!({"state": "stopped"}));
    let run = Place::empty().run(&["down", "--url", server.url(), "--token", TOKEN]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("server.foreign"), "{run:?}");
}
