//! `mobkit doctor`: what a start needs, looked at without starting anything.

use crate::program::{Place, finish};
use serde_json::{Value, json};

const MOB: &str = r#"
[mob]
id = "test"
[engines.meerkat]
command = ["./rkat-rpc"]
[models.main]
provider = "openai"
model = "m"
api_key = { env = "MAIN_KEY" }
[profiles.outside]
engine = "meerkat"
model = "main"
instructions = "Work."
[[members]]
id = "ada"
profile = "outside"
"#;

/// Speaks the contract that it is told to, and nothing else.
const RUNTIME: &str = r#"#!/usr/bin/env python3
import json, sys
methods = """tools/register session/input_status mob/create mob/list mob/claim_callback_route
mob/events mob/members mob/member_status mob/member_history mob/member_send mob/ensure_member
mob/spawn mob/retire mob/respawn mob/append_system_context mob/stop_member_run mob/force_cancel
mob/hard_cancel_member mob/stream_open mob/stream_close""".split()
for line in sys.stdin:
    asked = json.loads(line)
    if "id" in asked:
        about = {"server_info": {"name": "x", "version": "VERSION"}, "contract_version": "VERSION"}
        answer = {"jsonrpc": "2.0", "id": asked["id"], "result": {**about, "methods": methods}}
        print(json.dumps(answer), flush=True)
"#;

fn install(place: &Place, version: &str) {
    use std::os::unix::fs::PermissionsExt;
    place.write("rkat-rpc", &RUNTIME.replace("VERSION", version));
    let runs = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(place.path().join("rkat-rpc"), runs).expect("set");
}

/// Runs it with a key of this value, and finds what a check says.
fn verdicts(place: &Place, key: Option<&str>) -> (i32, Vec<(String, String)>, String) {
    let mut command = place.command(&["doctor", "--json"]);
    command.envs(crate::running::path());
    command.envs(key.map(|key| ("MAIN_KEY", key)));
    let run = finish(&mut command);
    let document: Value = run.document();
    let checks = document["checks"].as_array().expect("checks").iter();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let verdicts = checks.map(|check| (text(&check["check"]), text(&check["verdict"])));
    (run.code, verdicts.collect(), run.stdout)
}

fn expected(secret: &str, engine: &str) -> Vec<(String, String)> {
    [
        ("mob file", "ok"),
        ("secret of model main", secret),
        ("state directory", "ok"),
        ("engine meerkat", engine),
    ]
    .map(|(check, verdict)| (check.to_owned(), verdict.to_owned()))
    .to_vec()
}

#[test]
fn everything_that_is_missing_is_named_at_once_and_nothing_is_shown_or_left() {
    let place = Place::empty();
    place.write("mob.toml", MOB);
    let (code, found, text) = verdicts(&place, None);
    assert_eq!((code, found), (1, expected("fail", "fail")), "{text}");
    assert!(text.contains("MAIN_KEY is not set"), "{text}");
    assert!(
        text.contains("cargo install meerkat-rpc --version 0.9.8"),
        "{text}"
    );
    install(&place, "0.10.1");
    let (code, found, text) = verdicts(&place, Some("s3cret-key"));
    assert_eq!((code, found), (1, expected("ok", "fail")), "{text}");
    assert!(text.contains("0.10.1"), "{text}");
    install(&place, "0.9.8");
    let (code, found, text) = verdicts(&place, Some("s3cret-key"));
    assert_eq!((code, found), (0, expected("ok", "ok")), "{text}");
    assert!(!text.contains("s3cret-key"), "{text}");
    let mut left = std::fs::read_dir(place.path()).expect("a folder");
    let left = left.all(|entry| {
        let name = entry.expect("an entry").file_name();
        name == "mob.toml" || name == "rkat-rpc"
    });
    assert!(left, "it leaves nothing behind");
}

#[test]
fn a_table_for_people_has_the_next_steps_beside_it() {
    let place = Place::empty();
    place.write("mob.toml", MOB);
    let run = place.run(&["doctor"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.starts_with("RESULT  CHECK"), "{run:?}");
    assert!(
        run.stderr
            .contains("set MAIN_KEY where `mobkit up` is started"),
        "{run:?}"
    );
    assert!(
        run.stderr
            .contains("error[doctor.failed]: 2 of 4 checks failed"),
        "{run:?}"
    );
    let nothing = Place::empty().run(&["doctor", "--json"]);
    assert_eq!(nothing.code, 4);
    assert_eq!(
        nothing.document()["error"]["code"],
        json!("mob_file.not_found")
    );
}
