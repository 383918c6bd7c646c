//! `--json` on every command: documents on stdout and nothing else, errors too.

use crate::fake::{Fake, Reply, Request};
use crate::program::Place;
use serde_json::{Value, json};

const VALID: &str = "[mob]\nid = \"m\"\n";

/// A server on which everything works.
fn willing(request: &Request) -> Reply {
    let body = match request.path.as_str() {
        "/api/v1/events" => {
            let event = json!({"seq": 1, "kind": "runtime.ready", "data": {}});
            return Reply::Text(200, "application/x-ndjson", format!("{event}\n"));
        }
        "/rpc" => json!({"jsonrpc": "2.0", "id": 1, "result": {}}),
        "/api/v1/member/list" => json!({"members": [{"id": "a", "state": "idle"}]}),
        "/api/v1/member/send" => json!({"message": "msg-1", "seq": 1}),
        "/api/v1/mob/plan" => json!({"digest": "d", "steps": [
            {"object": "member/a", "operation": "spawn", "reason": "r"}]}),
        "/api/v1/mob/apply" => json!({"digest": "d", "spawned": ["a"], "failures": []}),
        "/api/v1/approval/get" => approval(),
        "/api/v1/approval/list" => json!({"approvals": [approval()]}),
        "/api/v1/approval/decide" => json!({"approval": "apr-1", "state": "denied", "seq": 9}),
        "/api/v1/grant/list" => json!({"grants": []}),
        "/api/v1/module/list" => json!({"modules": [{"id": "m", "state": "healthy"}]}),
        "/api/v1/module/stop" => json!({"module": "m", "state": "stopped", "seq": 9}),
        "/api/v1/module/start" | "/api/v1/module/restart" => {
            json!({"module": "m", "state": "healthy", "seq": 9})
        }
        "/api/v1/module/call" => json!({"result": "r", "call": "call-9-0"}),
        "/api/v1/route/resolve" => json!({"route": "ops", "sink": "webhook"}),
        "/api/v1/module/log" => json!({"lines": [], "next_after": 9}),
        "/api/v1/module/tools" => json!({"tools": []}),
        _ => json!({"mob": "m", "state": "running"}),
    };
    Reply::Json(200, body)
}

fn approval() -> Value {
    json!({"id": "apr-1", "digest": "sha256:1", "tool": "now", "member": "a", "state": "pending",
        "args": {}})
}

/// The words after the command that make it work.
fn words(command: &str) -> &'static [&'static str] {
    match command {
        "init" => &["fresh"],
        "check" | "status" | "plan" | "ps" | "logs" | "events" | "version" | "approvals"
        | "grants" | "modules" | "modules tools" | "schedule" | "schedule list" | "deliveries"
        | "routes" | "doctor" | "down" | "tasks" | "cost" | "config" | "config show"
        | "config schema" => &[],
        "approvals show" | "grants revoke" => &["apr-1"],
        "approve" => &["apr-1", "--yes", "--digest", "sha256:1"],
        "deny" => &["apr-1", "--yes", "-m", "no"],
        "modules show" | "modules start" | "modules stop" | "modules restart" | "modules log" => {
            &["m"]
        }
        "modules call" => &["m", "t", "n=1"],
        "schedule put" => &["schedule.toml"],
        "schedule backfill" => &[
            "s",
            "--from",
            "2026-11-01T00:00:00Z",
            "--to",
            "2026-11-02T00:00:00Z",
            "--yes",
        ],
        "schedule show" | "schedule rm" | "schedule pause" | "schedule resume"
        | "schedule trigger" | "schedule next" | "schedule runs" => &["s"],
        "deliveries show" | "deliveries replay" => &["dlv-1"],
        "deliveries send" => &["ops", "text"],
        "routes resolve" | "routes enable" => &["ops"],
        "rehearse" => &["day.toml"],
        "apply" => &["--yes"],
        "send" => &["a", "text"],
        "pause" | "resume" | "chat" => &["a"],
        "rpc" => &["mob/status"],
        "export" | "import" => &["mob.tar"],
        "config get" => &["mob.id"],
        "explain" => &["member.not_found"],
        "completion" => &["bash"],
        other => panic!("say here how `{other}` is called"),
    }
}

/// Every command, those within others too.
fn commands() -> Vec<String> {
    fn of(command: &clap::Command, path: &str, all: &mut Vec<String>) {
        for inner in command.get_subcommands() {
            let path = format!("{path} {}", inner.get_name()).trim().to_owned();
            all.push(path.clone());
            of(inner, &path, all);
        }
    }
    let mut all = Vec::new();
    of(&mobkit_cli::command(), "", &mut all);
    all
}

/// The command line of a command.
fn line<'a>(command: &'a str, words: &[&'a str]) -> Vec<&'a str> {
    command
        .split(' ')
        .chain(words.iter().copied())
        .chain(["--json"])
        .collect()
}

#[test]
fn every_command_prints_documents_alone() {
    let server = Fake::start(willing);
    let place = Place::of(&server);
    place.write("mob.toml", VALID);
    place.write("schedule.toml", "id = \"s\"\n");
    place.write("day.toml", "[scenario]\nstart = \"2026-11-23T00:00:00\"\n");
    // `up` runs until it is stopped, `down` waits for that, `chat` and `stdio` say what their input
    // asks for, `export` and `import` need a state of their own; their own tests cover them.
    let own = ["up", "down", "chat", "stdio", "export", "import"];
    let others = |command: &&String| !own.contains(&command.as_str());
    for command in commands().iter().filter(others) {
        let run = place.run(&line(command, words(command)));
        assert_eq!(run.code, 0, "{command} {run:?}");
        assert_eq!(run.documents().len(), 1, "{command} {run:?}");
    }
}

#[test]
fn every_error_is_a_document_with_code_message_and_hint() {
    let place = Place::empty();
    place.write("mob.toml", "[mob]\nid = 1\n");
    std::fs::create_dir(place.path().join("fresh")).expect("a folder");
    place.write("fresh/mob.toml", VALID);
    // These can't fail.
    // The stdout of `stdio` belongs to another program.
    let sure = ["version", "completion", "explain", "config schema", "stdio"];
    let others = |command: &&String| !sure.contains(&command.as_str());
    for command in commands().iter().filter(others) {
        let words = if command == "up" { &[] } else { words(command) };
        let run = place.run(&line(command, words));
        assert_ne!(run.code, 0, "{command} {run:?}");
        assert_eq!(run.stderr, "", "{command} {run:?}");
        check_error(&run.document(), command);
    }
}

fn check_error(document: &Value, command: &str) {
    let error = &document["error"];
    for name in ["code", "message", "hint", "kind"] {
        let text = error[name].as_str().unwrap_or_default();
        assert!(
            !text.is_empty() && !text.contains('\n'),
            "{command}: {name} of {document}"
        );
    }
}

#[test]
fn usage_errors_are_documents_too() {
    let place = Place::empty();
    for words in [
        &["sned", "--json"][..],
        &["send", "--json"],
        &["--json", "ps", "--what"],
    ] {
        let run = place.run(words);
        assert_eq!(
            (run.code, run.stderr.as_str()),
            (2, ""),
            "{words:?} {run:?}"
        );
        check_error(&run.document(), words[0]);
    }
}

#[test]
fn what_a_refusal_knows_is_kept() {
    let server = Fake::start(|_| {
        let body = json!({"status": 409, "title": "stale", "code": "plan.stale", "kind": "conflict",
            "hint": "plan again", "current": "sha256:2"});
        Reply::Text(409, "application/problem+json", body.to_string())
    });
    let run = Place::of(&server).run(&["pause", "x", "--json"]);
    assert_eq!(run.code, 6);
    let expected = json!({
        "error": {"code": "plan.stale", "message": "stale", "hint": "plan again",
            "kind": "conflict", "current": "sha256:2"},
    });
    assert_eq!(run.document(), expected);
}
