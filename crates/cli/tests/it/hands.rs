//! Tools of a helper process behind a gate: the whole program at work, decided from the command
//! line.

use crate::program::Run;
use crate::running::{Example, Up};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

const MOB: &str = r#"
[mob]
id = "desk"
[models.main]
provider = "rehearsal"
script = "rehearsal.toml"
[profiles.writer]
model = "main"
description = "Writes mails"
instructions = "You write mails."
tools = ["module:mail/*"]
[[members]]
id = "writer"
profile = "writer"
[[modules]]
id = "mail"
transport = "json-lines"
command = ["python3", "mail.py"]
effects = { list = "read" }
[[modules]]
id = "broken"
transport = "json-lines"
command = ["python3", "-c", "import sys; sys.exit('no settings')"]
restart = { policy = "on-failure", intensity = 1, period = "1m", backoff = ["1ms", "1ms"] }
[[gates]]
tool = "module:mail/send"
action = "review"
expires = "30m"
"#;

const SCRIPT: &str = r#"
[[rules]]
when = { text = "^mail (?<to>\\S+)$", step = 1 }
say = "I mail {{ to }}."
call = [{ tool = "module:mail/send", args = { to = "{{ to }}", body = "Hello" } }]
[[rules]]
when = { tool = "module:mail/send", step = 2 }
say = "{{ result }}"
"#;

/// Writes what it sends into a file, and what it does to standard error.
const MAIL: &str = r#"
import json, sys, time
TOOLS = [
    {"name": "send", "description": "Sends a mail", "schema": {"type": "object",
        "properties": {"to": {"type": "string"}, "body": {"type": "string"}}, "required": ["to"]}},
    {"name": "list", "description": "Lists what was sent"},
    {"name": "fail", "description": "Fails"},
    {"name": "wait", "description": "Never answers"},
]
sent = []
def answer(request, **outcome):
    print(json.dumps({"id": request["id"], **outcome}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    args = request.get("args", {})
    if request.get("list") == "tools":
        answer(request, result={"tools": TOOLS})
    elif request.get("ping"):
        answer(request, result={})
    elif request.get("tool") == "send":
        sent.append(args)
        with open("sent.jsonl", "a") as file:
            file.write(json.dumps(args) + "\n")
        print("sent to", args["to"], file=sys.stderr, flush=True)
        answer(request, result="sent to " + args["to"])
    elif request.get("tool") == "list":
        answer(request, result=sent)
    elif request.get("tool") == "fail":
        answer(request, error="no such mailbox")
"#;

fn desk() -> (Example, Up) {
    let files = [
        ("mob.toml", MOB),
        ("rehearsal.toml", SCRIPT),
        ("mail.py", MAIL),
    ];
    let desk = Example::written(&files);
    let mut up = desk.up();
    let ready = up.document();
    let ids: Vec<&Value> = ready["modules"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|module| &module["id"])
        .collect();
    assert_eq!(ids, ["mail", "broken"], "{ready}");
    (desk, up)
}

/// What was sent, in its order.
fn sent(desk: &Example) -> Vec<Value> {
    let text = std::fs::read_to_string(desk.mob().join("sent.jsonl")).unwrap_or_default();
    let parse = |line: &str| serde_json::from_str(line).expect("a document");
    text.lines().map(parse).collect()
}

/// Sends a message under a key and waits: for the answer, or for a person.
fn mail(desk: &Example, to: &str) -> Run {
    let text = format!("mail {to}");
    desk.run(&["send", "writer", &text, "--wait", "--key", to])
}

/// Id and digest of the only approval that waits.
fn wish(desk: &Example) -> (String, String) {
    let document = desk.run(&["approvals", "--json"]).document();
    let waiting = document["approvals"].as_array().expect("a list");
    assert_eq!(waiting.len(), 1, "{document}");
    let text = |name: &str| waiting[0][name].as_str().expect("a text").to_owned();
    (text("id"), text("digest"))
}

#[test]
fn a_call_is_made_as_it_was_decided_and_once() {
    let (desk, up) = desk();
    let run = mail(&desk, "all@example.org");
    assert_eq!((run.code, run.stdout.as_str()), (8, ""), "{run:?}");
    let (id, digest) = wish(&desk);
    let told = format!("waiting for approval {id} (module:mail/send, expires in 29:");
    assert!(run.stderr.contains(&told), "{run:?}");
    let ps = desk.run(&["ps"]);
    assert!(
        ps.stdout.contains(&format!("waiting on approval {id}")),
        "{ps:?}"
    );
    let shown = desk.run(&["approvals", &id]);
    for part in [
        "mail all@example.org",
        "I mail all@example.org.",
        "\"body\": \"Hello\"",
        &digest,
    ] {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
    }
    let seen = ["approve", &id, "--yes", "--digest", &digest];
    assert!(sent(&desk).is_empty(), "nobody has approved");
    let run = desk.run(&[&seen[..], &["--edit", "to=ops@example.org"]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    let run = mail(&desk, "all@example.org");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stdout.ends_with("\nsent to ops@example.org\n"),
        "{run:?}"
    );
    assert_eq!(
        sent(&desk),
        [json!({"to": "ops@example.org", "body": "Hello"})]
    );
    let run = desk.run(&seen);
    assert_eq!(run.code, 6, "{run:?}");
    let told = format!("{id} was approved with other arguments by operator:local");
    assert!(run.stderr.contains(&told), "{run:?}");
    assert_eq!(
        desk.run(&["approve", "apr-9999", "--yes", "--digest", "x"])
            .code,
        4
    );
    let logs = desk.run(&["logs", "writer"]).stdout;
    for kind in [
        "approval.requested",
        "turn.waiting",
        "approval.decided",
        "tool.started",
    ] {
        assert!(logs.contains(kind), "{kind}: {logs}");
    }
    assert_eq!(up.interrupt().0, Some(0));
}

#[test]
fn an_agent_is_told_why_its_call_was_refused() {
    let (desk, up) = desk();
    assert_eq!(mail(&desk, "a@b").code, 8);
    let (id, _) = wish(&desk);
    let run = desk.run(&["deny", &id, "-m", "ask legal first", "--yes"]);
    assert_eq!(run.code, 0, "{run:?}");
    let run = mail(&desk, "a@b");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("ask legal first"), "{run:?}");
    assert!(sent(&desk).is_empty());
    let all = desk.run(&["approvals", "--all"]).stdout;
    assert!(
        all.contains("denied") && all.contains("operator:local"),
        "{all}"
    );
    assert_eq!(up.interrupt().0, Some(0));
}

#[test]
fn of_two_who_decide_at_once_one_is_first() {
    let (desk, up) = desk();
    assert_eq!(mail(&desk, "a@b").code, 8);
    let (id, digest) = wish(&desk);
    let deciders: Vec<_> = (0..6)
        .map(|i| {
            let words = match i % 2 {
                0 => vec!["approve", &id, "--yes", "--digest", &digest],
                _ => vec!["deny", &id, "--yes", "-m", "no"],
            };
            let mut command = desk.command(&words);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().expect("the binary starts")
        })
        .collect();
    let ends = deciders.into_iter().map(|decider| {
        let output = decider.wait_with_output().expect("it ends");
        (
            output.status.code(),
            String::from_utf8(output.stderr).expect("text"),
        )
    });
    let ends: Vec<(Option<i32>, String)> = ends.collect();
    let first = ends.iter().filter(|(code, _)| *code == Some(0)).count();
    assert_eq!(first, 1, "{ends:?}");
    for (code, stderr) in ends.iter().filter(|(code, _)| *code != Some(0)) {
        assert_eq!(*code, Some(6), "{stderr}");
        assert!(stderr.contains("by operator:local"), "{stderr}");
    }
    assert_eq!(mail(&desk, "a@b").code, 0);
    let approved = ends.iter().step_by(2).any(|(code, _)| *code == Some(0));
    assert_eq!(sent(&desk).len(), usize::from(approved), "{ends:?}");
    assert_eq!(up.interrupt().0, Some(0));
}

#[test]
fn a_grant_lets_later_calls_pass_until_it_is_taken_back() {
    let (desk, up) = desk();
    assert_eq!(mail(&desk, "a@b").code, 8);
    let (id, digest) = wish(&desk);
    let words = [
        "approve",
        &id,
        "--yes",
        "--digest",
        &digest,
        "--for",
        "1h",
        "--where",
        "body=Hello",
    ];
    let run = desk.run(&words);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("lets later calls pass"), "{run:?}");
    assert_eq!(mail(&desk, "c@d").stdout, "sent to c@d\n");
    let grants = desk.run(&["grants", "--json"]).document();
    let grant = grants["grants"][0]["id"]
        .as_str()
        .expect("a grant")
        .to_owned();
    assert_eq!(desk.run(&["grants", "revoke", &grant]).code, 0);
    assert_eq!(desk.run(&["grants"]).stdout, "");
    assert_eq!(mail(&desk, "e@f").code, 8);
    assert_eq!(sent(&desk).len(), 2);
    // Who decides nothing ends nothing: the stop puts the turn aside.
    assert_eq!(up.interrupt().0, Some(0));
}

#[test]
fn who_waits_through_approvals_gets_the_answer() {
    let (desk, up) = desk();
    let words = [
        "send",
        "writer",
        "mail a@b",
        "--wait",
        "--through-approvals",
    ];
    let mut command = desk.command(&words);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut waiting = command.spawn().expect("the binary starts");
    let stderr = BufReader::new(waiting.stderr.take().expect("piped"));
    let told = stderr
        .lines()
        .map(|line| line.expect("text"))
        .find(|line| line.starts_with("waiting for approval "));
    assert!(told.is_some(), "it says what it waits for");
    let (id, digest) = wish(&desk);
    let run = desk.run(&["approve", &id, "--yes", "--digest", &digest]);
    assert_eq!(run.code, 0, "{run:?}");
    let output = waiting.wait_with_output().expect("it ends");
    let stdout = String::from_utf8(output.stdout).expect("text");
    assert_eq!(
        (output.status.code(), stdout.as_str()),
        (Some(0), "sent to a@b\n")
    );
    assert_eq!(up.interrupt().0, Some(0));
}

/// Reads the journal on until the module has done this.
pub(crate) fn wait_for(desk: &Example, kind: &str, module: &str) {
    let words = [
        "events",
        "--follow",
        "--after",
        "0",
        "--kinds",
        kind,
        "--subject",
        module,
    ];
    let mut follow = desk.command(&words);
    let mut follow = follow
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(follow.stdout.take().expect("a pipe")).lines();
    assert!(lines.next().is_some(), "{module} has no {kind}");
    follow.kill().expect("it follows");
    follow.wait().expect("it is a child");
}

#[test]
fn modules_are_seen_and_called() {
    let (desk, up) = desk();
    wait_for(&desk, "module.quarantined", "module/broken");
    wait_for(&desk, "module.healthy", "module/mail");
    let run = desk.run(&["modules"]);
    assert!(
        run.stdout
            .lines()
            .nth(1)
            .is_some_and(|l| l.starts_with("broken  quarantined"))
    );
    assert!(
        desk.run(&["status"])
            .stdout
            .contains("broken quarantined (it ended 2 times")
    );
    let tools = desk.run(&["modules", "tools", "mail"]).stdout;
    assert!(
        tools.contains("module:mail/send  effect  review  writer"),
        "{tools}"
    );
    assert!(
        tools.contains("module:mail/list  read    -       writer"),
        "{tools}"
    );
    let run = desk.run(&["modules", "call", "mail", "send", "to=a@b"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "sent to a@b\n"),
        "{run:?}"
    );
    let run = desk.run(&["modules", "call", "mail", "list"]);
    assert_eq!(
        (run.code, run.document()),
        (0, json!([{"to": "a@b"}])),
        "{run:?}"
    );
    for (words, code, told) in [
        (
            &["mail", "fail"][..],
            1,
            "error[tool.failed]: mail/fail failed: no such mailbox\n",
        ),
        (&["mail", "nothing"], 4, "error[tool.not_found]: "),
        (&["mail", "send", "n=1"], 2, "error[tool.bad_arguments]: "),
        (&["nobody", "send"], 4, "error[module.not_found]: "),
        (
            &["mail", "wait", "--timeout", "100ms"],
            7,
            "error[tool.timed_out]: ",
        ),
    ] {
        let run = desk.run(&[&["modules", "call"], words].concat());
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{run:?}");
        assert!(run.stderr.starts_with(told), "{run:?}");
    }
    wait_for(&desk, "module.log", "module/mail");
    let log = desk.run(&["modules", "log", "mail", "-n", "1"]).stdout;
    assert!(
        log.ends_with(" sent to a@b\n") && log.lines().count() == 1,
        "{log}"
    );
    assert_eq!(up.interrupt().0, Some(0));
}

#[test]
fn modules_do_what_they_are_told() {
    let (desk, up) = desk();
    wait_for(&desk, "module.quarantined", "module/broken");
    wait_for(&desk, "module.healthy", "module/mail");
    let logs = desk.run(&["logs", "module:broken"]).stdout;
    assert!(logs.contains("module.quarantined"), "{logs}");
    assert_eq!(desk.run(&["modules", "restart", "broken"]).code, 1);
    let run = desk.run(&["modules", "stop", "mail"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "mail is stopped\n"),
        "{run:?}"
    );
    assert_eq!(desk.run(&["modules", "call", "mail", "list"]).code, 1);
    let run = desk.run(&["modules", "start", "mail"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "mail is healthy\n"),
        "{run:?}"
    );
    assert_eq!(up.interrupt().0, Some(0));
}

/// The process of a module.
fn pid(desk: &Example, module: &str) -> i32 {
    let shown = desk.run(&["modules", "show", module, "--json"]).document();
    let pid = shown["pid"].as_i64().expect("it runs");
    i32::try_from(pid).expect("a pid")
}

/// Whether a process works: one that has ended and that nobody has asked about does not.
fn works(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

#[test]
fn a_second_interrupt_leaves_no_process_of_a_module() {
    let (desk, up) = desk();
    wait_for(&desk, "module.healthy", "module/mail");
    let mail = pid(&desk, "mail");
    assert!(works(mail));
    let mut call = desk.command(&["modules", "call", "mail", "wait"]);
    let mut call = call
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    wait_for(&desk, "tool.started", "module/mail");
    up.signal();
    wait_for(&desk, "runtime.draining", "runtime");
    up.signal();
    assert_eq!(up.end(), Some(130));
    let has_ended = (0..1_000_000).any(|_| {
        std::thread::yield_now();
        !works(mail)
    });
    assert!(has_ended, "the module of pid {mail} goes on");
    call.kill().expect("it waits");
    call.wait().expect("it is a child");
}

#[test]
fn a_module_that_does_not_end_by_itself_is_named_at_the_end() {
    const STUBBORN: &str = r#"
import json, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for line in sys.stdin:
    print(json.dumps({"id": json.loads(line)["id"], "result": {"tools": []}}), flush=True)
while True:
    time.sleep(60)
"#;
    let mob = MOB.replace("mail.py", "stubborn.py");
    let files = [
        ("mob.toml", mob.as_str()),
        ("rehearsal.toml", SCRIPT),
        ("stubborn.py", STUBBORN),
    ];
    let desk = Example::written(&files);
    let mut command = desk.command(&["up", "--listen", "127.0.0.1:0"]);
    command.arg(desk.mob()).stderr(Stdio::piped());
    let mut up = command.spawn().expect("the binary starts");
    let mut stderr = BufReader::new(up.stderr.take().expect("piped")).lines();
    let mut read_to = |part: &str| {
        let told = stderr.find_map(|line| line.ok().filter(|line| line.contains(part)));
        told.unwrap_or_else(|| panic!("it never says {part:?}"))
    };
    assert!(read_to("modules  ").contains("mail "));
    read_to("module mail is healthy");
    let pid = rustix::process::Pid::from_child(&up);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
    read_to("module mail did not end by itself: SIGKILL after ");
    assert_eq!(up.wait().expect("it is a child").code(), Some(1));
}
