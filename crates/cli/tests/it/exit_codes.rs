//! One exit code for each class of thing that happens.

use crate::fake::{Fake, Reply, problem};
use crate::program::{Place, TOKEN};
use serde_json::json;

fn check(reply: fn() -> Reply, code: i32, error: &str) {
    let server = Fake::start(move |_| reply());
    let run = Place::of(&server).run(&["pause", "x"]);
    assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{run:?}");
    assert!(
        run.stderr.starts_with(&format!("error[{error}]: ")),
        "{run:?}"
    );
    assert!(run.stderr.contains("\n  = hint: "), "{run:?}");
}

#[test]
fn done_is_0() {
    let server = Fake::always(200, json!({}));
    let run = Place::of(&server).run(&["pause", "x"]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, "paused member x\n", "")
    );
    let request = &server.seen()[0];
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/api/v1/member/pause")
    );
    assert_eq!(request.body, json!({"member": "x"}));
    assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}"));
}

#[test]
fn refusals_have_the_code_of_their_kind() {
    check(
        || problem(500, "internal", "store.broken", "d"),
        1,
        "store.broken",
    );
    check(
        || problem(503, "busy", "member.busy", "d"),
        1,
        "member.busy",
    );
    check(
        || problem(400, "invalid", "member.id_invalid", "d"),
        2,
        "member.id_invalid",
    );
    check(
        || problem(404, "missing", "member.not_found", "d"),
        4,
        "member.not_found",
    );
    check(
        || problem(410, "gone", "cursor_expired", "d"),
        4,
        "cursor_expired",
    );
    check(
        || problem(401, "unauthenticated", "token.unknown", "d"),
        5,
        "token.unknown",
    );
    check(
        || problem(403, "denied", "access.denied", "d"),
        5,
        "access.denied",
    );
    check(
        || problem(409, "conflict", "member.retired", "d"),
        6,
        "member.retired",
    );
    check(
        || problem(503, "unavailable", "runtime.not_running", "d"),
        9,
        "runtime.not_running",
    );
}

#[test]
fn a_foreign_server_is_named_as_such() {
    check(
        || Reply::Text(200, "text/html", "<html>".to_owned()),
        1,
        "server.foreign",
    );
    check(
        || Reply::Text(403, "text/html", "<html>".to_owned()),
        5,
        "http.403",
    );
    check(
        || Reply::Text(302, "text/html", String::new()),
        1,
        "http.302",
    );
}

#[test]
fn usage_is_2() {
    let place = Place::of(&Fake::always(200, json!({})));
    for words in [
        &["sned"][..],
        &["send"],
        &["pause"],
        &["pause", "x", "--all"],
        &["send", "x"],
        &["send", "x", " "],
        &["send", "x", "text", "--each-line", "f"],
        &["send", "x", "text", "--key", ""],
        &["rpc", "member/get", "{"],
        &["events", "--after", "-1"],
        &["ps", "--url", "ftp://x"],
        &["ps", "-l", "team"],
        &["up", "--listen", "7373"],
    ] {
        let run = place.run(words);
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (2, ""),
            "{words:?} {run:?}"
        );
        assert!(run.stderr.starts_with("error"), "{words:?} {run:?}");
    }
}

#[test]
fn an_invalid_mob_file_is_3() {
    let place = Place::empty();
    place.write("mob.toml", "[mob]\nid = 1\n");
    for words in [
        &["check"][..],
        &["up"],
        &["plan", "."],
        &["apply", "mob.toml"],
    ] {
        assert_eq!(place.run(words).code, 3, "{words:?}");
    }
}

#[test]
fn a_mob_file_that_is_not_there_is_4() {
    let place = Place::empty();
    for words in [
        &["check"][..],
        &["up"],
        &["plan", "."],
        &["check", "x/y.toml"],
    ] {
        let run = place.run(words);
        assert_eq!(run.code, 4, "{words:?} {run:?}");
        assert!(run.stderr.contains("mobkit init"), "{run:?}");
    }
}

#[test]
fn a_token_that_may_not_be_read_or_sent_is_5_or_2() {
    let server = Fake::always(200, json!({}));
    let place = Place::of(&server);
    let token = place.path().join(".mobkit/operator.token");
    std::fs::remove_file(&token).expect("a token");
    std::fs::create_dir(&token).expect("a folder in its place");
    assert_eq!(place.run(&["pause", "x"]).code, 1);
    let run = place.run(&["pause", "x", "--token", "a b"]);
    assert_eq!((run.code, server.seen().len()), (2, 0), "{run:?}");
}

#[test]
fn unreachable_is_9_and_says_how_to_start() {
    let place = Place::empty();
    let run = place.run(&["ps"]);
    assert_eq!((run.code, run.stdout.as_str()), (9, ""));
    assert!(
        run.stderr.contains("no server runs here: there is no "),
        "{run:?}"
    );
    assert!(
        run.stderr
            .contains("= hint: start the server with `mobkit up`"),
        "{run:?}"
    );
    // A port that was free a moment ago and that nobody listens on.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", free.local_addr().expect("bound"));
    drop(free);
    let run = place.run(&["ps", "--url", &url]);
    assert_eq!(run.code, 9);
    let expected = format!("error[server.unreachable]: cannot reach {url}: connection refused\n");
    assert!(run.stderr.starts_with(&expected), "{run:?}");
}

#[test]
fn an_address_may_come_from_the_environment_and_a_flag_wins() {
    let (named, other) = (Fake::always(200, json!({})), Fake::always(200, json!({})));
    let place = Place::empty();
    let mut command = place.command(&["pause", "x"]);
    command
        .env("MOBKIT_URL", named.url())
        .env("MOBKIT_TOKEN", "from-env");
    assert_eq!(crate::program::finish(&mut command).code, 0);
    assert_eq!(named.seen()[0].headers["authorization"], "Bearer from-env");
    let mut command = place.command(&["pause", "x", "--url", other.url()]);
    command.env("MOBKIT_URL", named.url());
    assert_eq!(crate::program::finish(&mut command).code, 0);
    assert_eq!((named.seen().len(), other.seen().len()), (1, 1));
    assert_eq!(other.seen()[0].headers.get("authorization"), None);
}

#[test]
fn rpc_errors_have_the_code_of_their_kind() {
    for (code, data, exit) in [
        (
            -32_602,
            json!({"code": "params.invalid", "kind": "invalid"}),
            2,
        ),
        (-32_601, json!(null), 2),
        (-32_001, json!({"code": "token.unknown"}), 5),
        (
            -32_004,
            json!({"code": "member.not_found", "kind": "missing"}),
            4,
        ),
        (
            -32_009,
            json!({"code": "plan.stale", "kind": "conflict"}),
            6,
        ),
        (-32_012, json!(null), 9),
        (-32_603, json!(null), 1),
    ] {
        let error = json!({"code": code, "message": "m", "data": data});
        let server = Fake::always(200, json!({"jsonrpc": "2.0", "id": 1, "error": error}));
        let run = Place::of(&server).run(&["rpc", "member/get", "{\"member\": \"x\"}"]);
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (exit, ""),
            "{code} {run:?}"
        );
    }
}

#[test]
fn rpc_prints_the_result_alone() {
    let server = Fake::always(
        200,
        json!({"jsonrpc": "2.0", "id": 1, "result": {"id": "x"}}),
    );
    let place = Place::of(&server);
    let run = place.run_with(&["rpc", "member/get", "-"], "{\"member\": \"x\"}");
    assert_eq!((run.code, run.document()), (0, json!({"id": "x"})));
    let request = &server.seen()[0];
    assert_eq!(request.path, "/rpc");
    assert_eq!(
        request.body,
        json!({"jsonrpc": "2.0", "id": 1, "method": "member/get", "params": {"member": "x"}})
    );
}

#[test]
fn a_question_that_nobody_can_answer_names_its_flag() {
    let server = Fake::always(200, json!({}));
    let place = Place::of(&server);
    let run = place.run(&["pause", "--all"]);
    assert_eq!((run.code, server.seen().len()), (2, 0));
    assert!(run.stderr.contains("answer with --yes"), "{run:?}");
    let run = place.run(&["pause", "--all", "--yes"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "paused the whole line\n")
    );
    assert_eq!(server.seen()[0].path, "/api/v1/mob/pause");
}
