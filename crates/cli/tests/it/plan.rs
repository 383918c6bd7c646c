//! Plans: shown, agreed to, applied by their digest.

use crate::fake::{Fake, Reply, Request, problem};
use crate::program::Place;
use serde_json::json;

fn server(request: &Request) -> Reply {
    match request.path.as_str() {
        "/api/v1/mob/plan" => Reply::Json(
            200,
            json!({"digest": "sha256:1", "steps": [
                {"object": "member/a", "operation": "spawn", "reason": "the mob file has it"},
                {"object": "member/b", "operation": "retire", "reason": "nobody wants it",
                 "survives": "nothing"},
            ]}),
        ),
        "/api/v1/mob/apply" if request.body["digest"] != "sha256:1" => {
            problem(409, "conflict", "plan.stale", "the mob has changed")
        }
        _ => Reply::Json(
            200,
            json!({"digest": "sha256:1", "spawned": [], "retired": ["b"],
                "failures": [{"object": "member/a", "operation": "spawn", "error": "no engine"}],
                "edges": {"wired_edges": [{"a": "a", "b": "c"}], "failures": []}}),
        ),
    }
}

#[test]
fn a_plan_is_shown_line_by_line() {
    let run = Place::of(&Fake::start(server)).run(&["plan"]);
    assert_eq!(run.code, 0);
    insta::assert_snapshot!(run.stdout, @r"
    + spawn    member/a  the mob file has it
    - retire   member/b  nobody wants it; the conversation ends
    plan: 1 retire, 1 spawn
    ");
}

#[test]
fn nothing_is_applied_without_a_yes() {
    let server = Fake::start(server);
    let run = Place::of(&server).run(&["apply"]);
    assert_eq!(run.code, 2);
    assert!(
        server
            .seen()
            .iter()
            .all(|request| request.path != "/api/v1/mob/apply")
    );
}

#[test]
fn what_was_applied_is_told_and_a_failed_step_is_1() {
    let server = Fake::start(server);
    let run = Place::of(&server).run(&["apply", "--yes", "--force"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.stderr.contains("failed: spawn member/a: no engine"),
        "{run:?}"
    );
    insta::assert_snapshot!(run.stdout, @r"
    - retired   b
    + wired     a+c
    applied, but 1 failed
    ");
    let applied = server.seen().pop().expect("requests");
    assert_eq!(applied.body, json!({"digest": "sha256:1", "force": true}));
}

#[test]
fn a_mob_as_it_should_be_needs_nothing() {
    let server = Fake::always(200, json!({"digest": "d", "steps": []}));
    let place = Place::of(&server);
    for words in [&["plan"][..], &["apply"]] {
        let run = place.run(words);
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (0, "nothing to change\n"),
            "{run:?}"
        );
    }
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn the_server_is_looked_for_beside_the_mob_file() {
    let server = Fake::always(200, json!({"digest": "d", "steps": []}));
    let place = Place::of(&server);
    place.write("mob.toml", "[mob]\nid = \"m\"\n");
    let elsewhere = Place::empty();
    let path = place.path().join("mob.toml").display().to_string();
    assert_eq!(elsewhere.run(&["plan", &path]).code, 0);
}

const POSTGRES: &str =
    "[mob]\nid = \"m\"\n[store]\nkind = \"postgres\"\nurl = { env = \"DATABASE_URL\" }\n";

#[test]
fn a_file_that_nothing_can_run_is_refused_with_its_place() {
    let server = Fake::start(server);
    let place = Place::of(&server);
    place.write("mob.toml", POSTGRES);
    for command in ["plan", "apply"] {
        let run = place.run(&[command, "."]);
        assert_eq!((run.code, server.seen().len()), (3, 0), "{run:?}");
        assert!(
            run.stderr.contains("error[definition.unsupported]"),
            "{run:?}"
        );
        assert!(run.stderr.contains("--> mob.toml:4:"), "{run:?}");
    }
}

#[test]
fn a_definition_that_the_server_refuses_is_3_with_its_places() {
    let server = Fake::start(|_| {
        let body = json!({"code": "definition.invalid", "kind": "invalid", "detail": "1 error",
            "diagnostics": [{"severity": "error", "code": "definition.model_unknown",
                "message": "no model x", "file": "m.toml", "line": 8, "column": 9,
                "span": {"start": 1, "end": 2}, "label": "", "hint": "did you mean y?"}]});
        Reply::Text(400, "application/problem+json", body.to_string())
    });
    let place = Place::of(&server);
    let run = place.run(&["plan"]);
    assert_eq!((run.code, run.stdout.as_str()), (3, ""));
    insta::assert_snapshot!(run.stderr, @r"
    error[definition.model_unknown]: no model x
     --> m.toml:8:9
      = hint: did you mean y?

    error[definition.invalid]: 1 error
      = hint: mend the file and run `mobkit check`
    ");
    let error = place.run(&["plan", "--json"]).document()["error"].take();
    assert_eq!(error["at"], json!({"file": "m.toml", "line": 8, "col": 9}));
    assert_eq!(error["diagnostics"][0]["code"], "definition.model_unknown");
}

#[test]
fn a_mass_removal_names_the_flag() {
    let server = Fake::start(|request| match request.path.as_str() {
        "/api/v1/mob/apply" => problem(409, "conflict", "plan.mass_removal", "2 of 3"),
        _ => server(request),
    });
    let run = Place::of(&server).run(&["apply", "--yes"]);
    assert_eq!(run.code, 6, "{run:?}");
    assert!(run.stderr.contains("repeat it with --force"), "{run:?}");
}
