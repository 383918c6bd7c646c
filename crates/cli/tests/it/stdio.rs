//! `mobkit stdio`: a mob for one program.

use crate::program::finish;
use crate::running::{Example, path};
use serde_json::Value;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Output};

fn mob() -> Example {
    let mob = include_str!("programs/stdio/mob.toml");
    let rules = include_str!("programs/stdio/rehearsal.toml");
    Example::written(&[("mob.toml", mob), ("rehearsal.toml", rules)])
}

#[test]
fn what_comes_by_a_pipe_is_answered_and_nothing_else_is_on_stdout() {
    let mob = mob();
    let asked = mob.mob().join("asked.jsonl");
    let lines = concat!(
        r#"{"jsonrpc":"2.0","id":1,"method":"member/list"}"#,
        "\nnonsense\n",
        r#"{"jsonrpc":"2.0","id":2,"method":"member/ask","params":{"to":"desk","content":"hi"}}"#,
        "\n"
    );
    std::fs::write(&asked, lines).expect("a file");
    let mut command = mob.command(&["stdio", "--json"]);
    command.arg(mob.mob());
    let run = finish(command.stdin(File::open(&asked).expect("a file")));
    assert_eq!(run.code, 0, "{}", run.stderr);
    let of = |id: Value| {
        let documents = run.documents();
        documents
            .into_iter()
            .find(|answer| answer["id"] == id)
            .expect("an answer")
    };
    assert_eq!(run.documents().len(), 3, "{}", run.stdout);
    assert_eq!(of(1.into())["result"]["members"][0]["id"], "desk");
    assert_eq!(of(2.into())["result"]["text"], "desk heard: hi");
    assert_eq!(of(Value::Null)["error"]["code"], -32700);
    assert!(run.stderr.contains("stopped"), "{}", run.stderr);
}

#[test]
fn without_a_line_nothing_is_started() {
    let mob = mob();
    let run = finish(mob.command(&["stdio"]).arg(mob.mob()));
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    assert!(run.stderr.contains("nothing was started"), "{}", run.stderr);
    assert!(!mob.state().exists());
}

#[test]
fn what_is_wrong_is_said_on_stderr_alone() {
    let mob = mob();
    std::fs::write(mob.mob().join("mob.toml"), "[mob]\nid = 3\n").expect("a file");
    let run = finish(mob.command(&["stdio", "--json"]).arg(mob.mob()));
    assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{}", run.stderr);
    assert!(run.stderr.contains("mob.toml"), "{}", run.stderr);
}

/// Lets the client play a part.
fn play(mob: &Example, part: &str) -> Output {
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/programs/stdio/client.py");
    let mut python = Command::new("python3");
    python
        .arg(client)
        .arg(env!("CARGO_BIN_EXE_mobkit"))
        .args([mob.mob(), &mob.state()])
        .arg(part)
        .env_clear()
        .envs(path());
    python
        .output()
        .expect("python3 is missing: install Python 3.11 or newer")
}

fn plays_well(mob: &Example, part: &str) {
    let run = play(mob, part);
    let said = String::from_utf8_lossy(&run.stdout);
    let complaint = String::from_utf8_lossy(&run.stderr);
    assert_eq!(said.trim(), "done", "{part}: {complaint}");
}

#[test]
fn a_program_serves_what_a_mob_is_made_of_and_drives_it() {
    plays_well(&mob(), "whole");
}

#[test]
fn a_call_that_nobody_waits_for_any_longer_is_taken_back() {
    plays_well(&mob(), "taken_back");
}

#[test]
fn a_program_that_dies_in_a_call_leaves_it_unknown_and_the_next_takes_over() {
    let mob = mob();
    let run = play(&mob, "die");
    let said = String::from_utf8_lossy(&run.stdout);
    let mobkit = said.trim();
    assert!(mobkit.parse::<u32>().is_ok(), "{run:?}");
    plays_well(&mob, "after");
}
