//! Deciding: what is shown, what is asked, and what is sent.

use crate::fake::{Fake, Reply, Request, problem};
use crate::program::{Place, Run, finish};
use serde_json::{Value, json};

const DIGEST: &str = "sha256:seen";

/// An approval that waits, changed by `more`.
fn approval(more: &Value) -> Value {
    let mut approval = json!({
        "id": "apr-12", "digest": DIGEST, "tool": "module:mail/send", "member": "writer",
        "args": {"to": "all@example.org", "body": "Hello\nall"}, "turn": "turn-9",
        "call": "call-10-1", "effect": "effect", "about": "gate", "gate": "module:mail/*",
        "why": "mail needs a decision", "origin": "operator:ada", "approvers": [],
        "four_eyes": false, "state": "pending", "requested": "2026-11-22T06:00:00.000Z",
        "expires": "2999-11-22T06:30:00.000Z", "on_expiry": "deny", "policy": "sha256:gate",
        "messages": ["msg-8"], "said": [{"id": "msg-8", "from": "operator:ada", "text": "Tell them."}],
        "reply": "I tell everybody.", "description": "Sends a mail",
    });
    for (name, value) in more.as_object().expect("an object") {
        approval[name] = value.clone();
    }
    approval
}

/// A server that holds this approval and takes every decision.
fn holding(approval: Value) -> Fake {
    Fake::start(move |request| match request.path.as_str() {
        "/api/v1/approval/get" => Reply::Json(200, approval.clone()),
        "/api/v1/approval/list" => Reply::Json(200, json!({"approvals": [approval]})),
        "/api/v1/approval/decide" => Reply::Json(
            200,
            json!({"approval": "apr-12", "state": "approved", "seq": 40}),
        ),
        "/api/v1/grant/list" => Reply::Json(
            200,
            json!({"grants": [{"id": "grant-41", "approval": "apr-12"}]}),
        ),
        _ => Reply::Json(200, json!({"members": [], "events": []})),
    })
}

/// The decision that was sent, if one was.
fn decision(server: &Fake) -> Option<Value> {
    let decides = |request: &Request| request.path == "/api/v1/approval/decide";
    server
        .seen()
        .into_iter()
        .find(decides)
        .map(|request| request.body)
}

const SEEN: [&str; 3] = ["--yes", "--digest", DIGEST];

#[test]
fn what_waits_is_listed_with_the_way_to_decide() {
    let server = holding(approval(&json!({"expires": null})));
    let run = Place::of(&server).run(&["approvals"]);
    assert_eq!(run.code, 0, "{run:?}");
    let lines: Vec<Vec<&str>> = run
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0], ["ID", "MEMBER", "TOOL", "WHY", "AGE", "EXPIRES"]);
    assert_eq!(lines[1][..3], ["apr-12", "writer", "module:mail/send"]);
    assert_eq!(lines[1].last(), Some(&"never"));
    assert!(
        run.stderr
            .contains("mobkit approve apr-12, mobkit deny apr-12 -m WHY"),
        "{run:?}"
    );
    assert_eq!(server.seen()[0].body["state"], "pending");
    for (words, state) in [(&["--all"][..], "all"), (&["--in", "denied"], "denied")] {
        let run = Place::of(&server).run(&[&["approvals"], words].concat());
        assert_eq!(run.code, 0, "{run:?}");
        let last = server.seen().pop().expect("a request");
        assert_eq!(last.body["state"], state);
    }
    assert_eq!(
        Place::of(&server).run(&["approvals", "--in", "open"]).code,
        2
    );
}

#[test]
fn who_has_nothing_to_decide_learns_how_to_be_asked() {
    let server = Fake::always(200, json!({"approvals": [], "members": []}));
    let run = Place::of(&server).run(&["approvals"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
    insta::assert_snapshot!(run.stderr, @r#"
    nothing waits for a decision; a gate in the mob file makes calls wait:
      [[gates]]
      tool = "module:mail/*"
      action = "review"
    "#);
    let run = Place::of(&server).run(&["approvals", "--json"]);
    assert_eq!(run.document(), json!({"approvals": [], "unknown": []}));
}

/// A server on which a turn waits for a word about one of its calls.
fn with_unknown_call() -> Fake {
    let event = |seq: u64, kind: &str, turn: &str, call: &str| {
        json!({"seq": seq, "kind": kind, "time": "2026-11-22T06:00:00.000Z", "data": {
            "turn": turn, "call": call, "tool": "module:mail/send", "args": {"to": "all"},
            "reason": "the module ended\u{1b}[2J"}})
    };
    let events = [
        event(5, "tool.unknown", "turn-3", "call-4-1"),
        event(12, "tool.unknown", "turn-9", "call-10-1"),
        event(13, "tool.unknown", "turn-9", "call-10-2"),
        event(14, "tool.resolved", "turn-9", "call-10-2"),
    ];
    Fake::start(move |request| match request.path.as_str() {
        "/api/v1/member/list" => Reply::Json(
            200,
            json!({"members": [
                {"id": "desk", "turn": "turn-2", "waiting_for": "peer"},
                {"id": "writer", "turn": "turn-9", "waiting_for": "operator"},
            ]}),
        ),
        "/api/v1/event/query" => {
            let after = request.body["after"].as_u64().unwrap_or(0);
            let later = events
                .iter()
                .filter(|event| event["seq"].as_u64() > Some(after));
            let events: Vec<&Value> = later.collect();
            Reply::Json(200, json!({"events": events, "next_after": 14, "head": 14}))
        }
        _ => Reply::Json(200, json!({"approvals": []})),
    })
}

#[test]
fn calls_whose_outcome_nobody_knows_wait_for_a_person_too() {
    let server = with_unknown_call();
    let run = Place::of(&server).run(&["approvals"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stdout
            .starts_with("call-10-1  writer called module:mail/send {\"to\":\"all\"}")
    );
    assert!(run.stdout.contains("ago: the module ended"), "{run:?}");
    assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
    let line = "mobkit rpc tool/resolve '{\"call\": \"call-10-1\", \"how\": \"run\"}'";
    assert!(run.stdout.contains(line), "{run:?}");
    assert!(
        !run.stdout.contains("call-10-2") && !run.stdout.contains("call-4-1"),
        "{run:?}"
    );
    let queries = server
        .seen()
        .into_iter()
        .filter(|r| r.path == "/api/v1/event/query");
    let subjects: Vec<Value> = queries.map(|r| r.body["subject"].clone()).collect();
    assert_eq!(
        subjects,
        ["member/writer"],
        "a member that waits for a peer is left alone"
    );
    let document = Place::of(&server).run(&["approvals", "--json"]).document();
    assert_eq!(document["unknown"][0]["call"], "call-10-1", "{document}");
    // The line that is shown is one that a shell and the program understand.
    let words = line
        .strip_prefix("mobkit rpc tool/resolve '")
        .and_then(|l| l.strip_suffix('\''));
    let params: Value = serde_json::from_str(words.expect("a line")).expect("JSON");
    assert_eq!(params, json!({"call": "call-10-1", "how": "run"}));
}

#[test]
fn one_is_shown_in_full_under_either_command() {
    let place_and = holding(approval(&json!({})));
    let place = Place::of(&place_and);
    let run = place.run(&["approvals", "apr-12"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        place.run(&["approvals", "show", "apr-12"]).stdout,
        run.stdout
    );
    for part in [
        "apr-12 pending: writer wants to call module:mail/send",
        "mail needs a decision",
        "Tell them.",
        "I tell everybody.",
        "\"to\": \"all@example.org\"",
        "\"body\": \"Hello\\nall\"",
        "any operator",
        DIGEST,
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    assert!(
        run.stderr
            .contains(&format!("mobkit approve apr-12 --yes --digest {DIGEST}"))
    );
    let document = place.run(&["approvals", "apr-12", "--json"]).document();
    assert_eq!(document, approval(&json!({})));
}

#[test]
fn text_that_is_too_long_for_an_event_is_shown_all_the_same() {
    let reference = json!({"blob": "sha256:long", "bytes": 40_000});
    let approval = approval(&json!({"args": {"body": reference}}));
    let server = Fake::start(move |request| match request.path.as_str() {
        "/api/v1/blob/get" if request.body["offset"].is_null() => Reply::Json(
            200,
            json!({"text": "the beginning and ", "next_offset": 18}),
        ),
        "/api/v1/blob/get" => Reply::Json(200, json!({"text": "the end\u{1b}[2J"})),
        _ => Reply::Json(200, approval.clone()),
    });
    let run = Place::of(&server).run(&["approvals", "apr-12"]);
    assert!(
        run.stdout.contains("the beginning and the end\\u001b[2J\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn without_a_terminal_nothing_is_approved_unseen() {
    let server = holding(approval(&json!({})));
    let place = Place::of(&server);
    let run = place.run(&["approve", "apr-12", "--yes"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    insta::assert_snapshot!(run.stderr, @r"
    error[approval.unseen]: nobody has seen what --yes would approve
      = hint: look at it with `mobkit approvals apr-12`, then add --digest with the digest that it shows
    ");
    let run = place.run(&["approve", "apr-12"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(
        run.stderr.contains("to\": \"all@example.org\""),
        "it is shown all the same: {run:?}"
    );
    assert!(
        run.stderr
            .contains("Let writer call module:mail/send (apr-12)?"),
        "{run:?}"
    );
    assert!(
        run.stderr
            .contains("answer with --yes --digest sha256:seen"),
        "{run:?}"
    );
    let run = place.run(&["approve", "apr-12", "--yes", "--digest", "sha256:other"]);
    assert_eq!((run.code, run.stdout.as_str()), (6, ""));
    insta::assert_snapshot!(run.stderr, @r"
    error[approval.stale]: apr-12 is not what was seen: its digest is sha256:seen
      = hint: look at it again with `mobkit approvals apr-12`
    ");
    assert_eq!(decision(&server), None);
}

#[test]
fn what_was_seen_is_what_is_approved() {
    let server = holding(approval(&json!({})));
    let words = [&["approve", "apr-12", "-m", "go ahead"], &SEEN[..]].concat();
    let run = Place::of(&server).run(&words);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "approved apr-12\n"),
        "{run:?}"
    );
    let mut sent = decision(&server).expect("a decision");
    let key = sent["key"].take();
    assert_eq!(key.as_str().map(str::len), Some(32));
    let expected = json!({"id": "apr-12", "digest": DIGEST, "decision": "approve", "key": null,
        "reason": "go ahead"});
    assert_eq!(sent, expected);
}

#[test]
fn an_edit_sends_all_arguments_and_shows_them() {
    let server = holding(approval(&json!({})));
    let words = [
        "approve",
        "apr-12",
        "--edit",
        "to=ops@example.org",
        "--edit",
        "copies=2",
    ];
    let run = Place::of(&server).run(&[&words, &SEEN[..]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.stdout, "approved with other arguments: apr-12\n");
    assert!(
        run.stderr.contains("with these arguments instead:\n  {"),
        "{run:?}"
    );
    let sent = decision(&server).expect("a decision");
    let args = json!({"to": "ops@example.org", "body": "Hello\nall", "copies": 2});
    assert_eq!((&sent["decision"], &sent["args"]), (&json!("edit"), &args));
}

#[test]
fn a_grant_comes_with_the_decision() {
    for (words, args) in [
        (&["--for", "1h"][..], json!(null)),
        (&["--for", "1h", "--any-args"], json!({})),
        (
            &["--for", "1h", "--where", "to=all@example.org"],
            json!({"to": "all@example.org"}),
        ),
    ] {
        let server = holding(approval(&json!({})));
        let run = Place::of(&server).run(&[&["approve", "apr-12"], &SEEN[..], words].concat());
        assert_eq!(
            run.stdout, "approved apr-12; grant-41 lets later calls pass\n",
            "{run:?}"
        );
        assert!(
            run.stderr.contains("writer may call module:mail/send"),
            "{run:?}"
        );
        let grant = decision(&server).expect("a decision")["grant"].take();
        let until = grant["until"].as_str().expect("a time");
        assert_eq!(grant["scope"], "until");
        assert!(
            run.stderr.contains(&format!("and until {until} ")),
            "{run:?}"
        );
        assert_eq!(grant["args"], args);
    }
    let server = holding(approval(&json!({})));
    let words = [&["approve", "apr-12", "--for", "turn", "--json"], &SEEN[..]].concat();
    let document = Place::of(&server).run(&words).document();
    assert_eq!(document["grant"], "grant-41");
    let grant = decision(&server).expect("a decision")["grant"].take();
    assert_eq!(grant, json!({"scope": "turn"}));
    for words in [
        &["--any-args"][..],
        &["--where", "to=x"],
        &["--for", "ever"],
        &["--for", "1h", "--any-args", "--where", "to=x"],
        &["--edit", "to"],
    ] {
        let run = Place::of(&server).run(&[&["approve", "apr-12"], words].concat());
        assert_eq!(run.code, 2, "{run:?}");
    }
}

#[test]
fn a_question_of_a_module_gets_an_answer() {
    let question = approval(&json!({"about": "elicitation", "message": "Which account?",
        "schema": {"type": "object", "properties": {"account": {"type": "string"}}}}));
    let server = holding(question);
    let words = ["approve", "apr-12", "--answer", "account=main"];
    let run = Place::of(&server).run(&[&words, &SEEN[..]].concat());
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "answered apr-12\n"),
        "{run:?}"
    );
    assert!(run.stderr.contains("Which account?"), "{run:?}");
    let sent = decision(&server).expect("a decision");
    let answer = json!({"account": "main"});
    assert_eq!(
        (&sent["decision"], &sent["args"]),
        (&json!("approve"), &answer)
    );
}

#[test]
fn a_refusal_has_a_reason_and_needs_no_digest() {
    let server = holding(approval(&json!({})));
    let place = Place::of(&server);
    for words in [
        &["deny", "apr-12", "--yes"][..],
        &["deny", "apr-12", "--yes", "-m", " "],
    ] {
        assert_eq!(place.run(words).code, 2, "{words:?}");
    }
    assert_eq!(
        place.run(&["deny", "apr-12", "-m", "no"]).code,
        2,
        "nobody can be asked"
    );
    let stale = [
        "deny",
        "apr-12",
        "-m",
        "no",
        "--yes",
        "--digest",
        "sha256:other",
    ];
    assert_eq!(place.run(&stale).code, 6);
    assert_eq!(decision(&server), None);
    let run = place.run(&["deny", "apr-12", "-m", "ask legal", "--yes"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "denied apr-12\n"),
        "{run:?}"
    );
    let sent = decision(&server).expect("a decision");
    assert_eq!(
        (&sent["decision"], &sent["digest"], &sent["reason"]),
        (&json!("deny"), &json!(DIGEST), &json!("ask legal"))
    );
}

/// The end of `approve` where the server answers so.
fn refused(get: fn() -> Reply, decide: fn() -> Reply) -> Run {
    let server = Fake::start(move |request| match request.path.as_str() {
        "/api/v1/approval/get" => get(),
        "/api/v1/approval/decide" => decide(),
        other => problem(404, "missing", "operation.not_found", other),
    });
    Place::of(&server).run(&[&["approve", "apr-12", "--quiet"], &SEEN[..]].concat())
}

#[test]
fn who_comes_too_late_learns_who_was_first() {
    let decided = || {
        let at = "2026-11-22T06:02:00.000Z";
        let more = json!({"state": "denied", "by": "operator:bob", "ended": at, "reason": "no"});
        Reply::Json(200, approval(&more))
    };
    let run = refused(decided, || Reply::Vanish);
    assert_eq!((run.code, run.stdout.as_str()), (6, ""));
    let told = "error[approval.decided]: apr-12 was denied by operator:bob ";
    assert!(run.stderr.starts_with(told), "{run:?}");
    let pending = || Reply::Json(200, approval(&json!({})));
    let run = refused(pending, || {
        let detail = "apr-12 was decided by operator:bob (denied) at 2026-11-22T06:02:00.000Z";
        problem(409, "conflict", "approval.decided", detail)
    });
    assert_eq!(run.code, 6);
    insta::assert_snapshot!(run.stderr, @r"
    error[approval.decided]: apr-12 was decided by operator:bob (denied) at 2026-11-22T06:02:00.000Z
      = hint: see all of it with `mobkit approvals apr-12`
    ");
}

#[test]
fn who_may_not_decide_or_names_nothing_is_told_so() {
    let pending = || Reply::Json(200, approval(&json!({})));
    let run = refused(pending, || {
        problem(
            403,
            "denied",
            "approval.not_yours",
            "apr-12 is for role:approver",
        )
    });
    assert_eq!(run.code, 5);
    insta::assert_snapshot!(run.stderr, @r"
    error[approval.not_yours]: apr-12 is for role:approver
      = hint: somebody else has to decide; `mobkit approvals apr-12` says who may
    ");
    let missing = || {
        problem(
            404,
            "missing",
            "approval.not_found",
            "there is no approval apr-12",
        )
    };
    let run = refused(missing, || Reply::Vanish);
    assert_eq!(run.code, 4);
    insta::assert_snapshot!(run.stderr, @r"
    error[approval.not_found]: there is no approval apr-12
      = hint: see what waits with `mobkit approvals`
    ");
    let gone = || {
        Reply::Json(
            200,
            approval(&json!({"state": "expired", "reason": "no decision in time"})),
        )
    };
    let run = refused(gone, || Reply::Vanish);
    assert_eq!(run.code, 6);
    insta::assert_snapshot!(run.stderr, @r"
    error[approval.expired]: apr-12 has expired: no decision in time
      = hint: see all of it with `mobkit approvals apr-12`
    ");
}

#[test]
fn what_is_hostile_is_shown_and_not_obeyed() {
    let evil = "\u{1b}[1A\u{1b}[2K\u{202e}nothing to see\u{7}\u{9b}31m";
    let args = json!({"to": evil, evil: [evil]});
    let hostile = approval(
        &json!({"args": args, "why": evil, "member": evil, "tool": evil,
        "reply": evil, "description": evil, "gate": evil, "origin": evil, "approvers": [evil],
        "messages": [evil], "said": [{"id": evil, "from": evil, "text": evil}], "later": {"x": evil}, "new": evil}),
    );
    let server = holding(hostile);
    let place = Place::of(&server);
    for words in [
        &["approvals"][..],
        &["approvals", "--all"],
        &["approvals", "apr-12"],
        &["approve", "apr-12"],
        &[
            "approve", "apr-12", "--yes", "--digest", DIGEST, "--for", "1h",
        ],
        &["deny", "apr-12", "-m", "no"],
        &["status"],
    ] {
        let run = place.run(words);
        let all = format!("{}{}", run.stdout, run.stderr);
        let is_bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!all.contains(is_bad), "{words:?}: {all:?}");
    }
}

/// Runs the binary at a terminal, where somebody types `typed` once the question is there.
fn at_terminal(place: &Place, words: &[&str], typed: &str) -> Run {
    const SCRIPT: &str = r"
import os, pty, sys
typed, words = sys.argv[1].encode(), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(words[0], words)
seen, waiting = b'', True
while True:
    try:
        part = os.read(terminal, 65536)
    except OSError:
        break
    if not part:
        break
    seen += part
    if waiting and b'[y/N] ' in seen:
        os.write(terminal, typed)
        waiting = False
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";
    let mut command = std::process::Command::new("python3");
    command
        .args(["-c", SCRIPT, typed, env!("CARGO_BIN_EXE_mobkit")])
        .args(words);
    command
        .current_dir(place.path())
        .env("TERM", "xterm")
        .env_remove("MOBKIT_URL");
    finish(&mut command)
}

#[test]
fn at_a_terminal_somebody_is_asked() {
    for (typed, code, decided) in [("y\n", 0, true), ("n\n", 1, false), ("\n", 1, false)] {
        let server = holding(approval(&json!({})));
        let place = Place::of(&server);
        let run = at_terminal(&place, &["approve", "apr-12"], typed);
        assert_eq!(
            (run.code, decision(&server).is_some()),
            (code, decided),
            "{run:?}"
        );
        assert!(run.stdout.contains("all@example.org"), "{run:?}");
    }
    // Here --yes is enough: whoever types it sees what it approves.
    let server = holding(approval(&json!({})));
    let run = at_terminal(&Place::of(&server), &["approve", "apr-12", "--yes"], "");
    assert_eq!(
        (run.code, decision(&server).is_some()),
        (0, true),
        "{run:?}"
    );
    assert!(run.stdout.contains("all@example.org"), "{run:?}");
}

#[test]
fn an_interrupted_question_decides_nothing() {
    let server = holding(approval(&json!({})));
    let run = at_terminal(&Place::of(&server), &["approve", "apr-12"], "\u{3}");
    assert_eq!((run.code, decision(&server)), (130, None), "{run:?}");
}

#[test]
fn grants_are_listed_and_taken_back() {
    let grant = json!({"id": "grant-14", "member": "writer", "tool": "module:mail/send",
        "exact": true, "args": {"to": "a"}, "scope": "turn", "turn": "turn-9",
        "by": "operator:ada", "approval": "apr-12"});
    let server = Fake::start(move |request| match request.path.as_str() {
        "/api/v1/grant/list" => Reply::Json(200, json!({"grants": [grant]})),
        _ if request.body["grant"] == "grant-14" => {
            Reply::Json(200, json!({"grant": "grant-14", "seq": 50}))
        }
        _ => problem(
            404,
            "missing",
            "grant.not_found",
            "there is no grant grant-15",
        ),
    });
    let place = Place::of(&server);
    let run = place.run(&["grants"]);
    assert!(
        run.stdout
            .contains("grant-14  writer  module:mail/send  operator:ada"),
        "{run:?}"
    );
    let run = place.run(&["grants", "revoke", "grant-14"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "revoked grant-14\n"),
        "{run:?}"
    );
    let run = place.run(&["grants", "revoke", "grant-15"]);
    assert_eq!((run.code, run.stdout.as_str()), (4, ""));
    assert!(
        run.stderr.contains("see which hold with `mobkit grants`"),
        "{run:?}"
    );
}
