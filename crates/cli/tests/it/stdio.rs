//! `mobkit stdio`: a mob for one program.

use crate::program::finish;
use crate::running::Example;
use serde_json::Value;
use std::fs::File;

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
