//! `mobkit export` beside a server at work, `mobkit import` elsewhere, and `doctor --verify`.

use crate::program::Place;
use crate::running::Example;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// The file of an export beside the state of an example.
fn file_of(example: &Example) -> PathBuf {
    example.state().with_file_name("mob.tar")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

/// Asserts that what is stored is whole.
fn check_whole(example: &Example, state: &Path) {
    let words = [
        "doctor",
        text(example.mob()),
        "--verify",
        "--json",
        "--state",
        text(state),
    ];
    let run = Place::empty().run(&words);
    let checks = run.document()["checks"].clone();
    let checks = checks.as_array().expect("a list");
    let stored = checks
        .iter()
        .find(|check| check["check"] == "stored state of newsroom");
    let stored = stored.unwrap_or_else(|| panic!("{run:?}"));
    assert_eq!(stored["verdict"], "ok", "{run:?}");
}

/// How many messages wait in a mob that runs.
fn queued(example: &Example) -> usize {
    let run = example.run(&["rpc", "message/list", r#"{"state": "queued"}"#]);
    assert_eq!(run.code, 0, "{run:?}");
    run.document()["messages"].as_array().expect("a list").len()
}

#[test]
fn a_mob_that_works_is_exported_and_goes_on_elsewhere_with_nothing_lost() {
    let (here, there) = (Example::newsroom(), Example::newsroom());
    let mut up = here.up();
    up.document();
    let mut feed = here
        .feed()
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let feed = feed.as_mut().expect("the binary starts");
    // Some of the work is done and some is not.
    let words = ["events", "-f", "--json", "--kinds", "turn.completed"];
    let mut seen = here
        .command(&words)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let lines = BufReader::new(seen.stdout.take().expect("a pipe")).lines();
    assert_eq!(lines.take(2).count(), 2);
    seen.kill().expect("it runs");
    seen.wait().expect("it is a child");
    let file = file_of(&here);
    let run = here.run(&["export", text(&file), "--json"]);
    assert_eq!(run.code, 0, "{run:?}");
    let exported = run.document();
    let head = exported["mobs"][0]["head"].as_u64().expect("a number");
    assert!(head > 5, "{exported}");
    check_whole(&here, &here.state());
    assert!(feed.wait().expect("it is a child").success());
    let events = here.events();
    up.kill();
    let run = there.run(&["import", text(&file), "--json"]);
    assert_eq!(
        (run.code, &run.document()["mobs"]),
        (0, &exported["mobs"]),
        "{run:?}"
    );
    check_whole(&there, &there.state());
    assert!(
        !there.state().join("operator.token").exists(),
        "no token is in it"
    );
    let mut up = there.up();
    up.document();
    let asked = there.run(&["send", "desk", "--wait", "is everything done?"]);
    assert_eq!(asked.code, 0, "{asked:?}");
    let others = there.events();
    let head = usize::try_from(head).expect("a few");
    assert_eq!(
        others[..head],
        events[..head],
        "the same journal up to its end"
    );
    assert!(others.len() > head, "it goes on from there");
    assert_eq!(queued(&there), 0, "what was open is done");
    check_whole(&there, &there.state());
    up.interrupt();
}

#[test]
fn a_kill_in_the_middle_leaves_all_or_nothing() {
    let (here, there) = (Example::newsroom(), Example::newsroom());
    let mut up = here.up();
    up.document();
    assert!(
        here.feed()
            .output()
            .expect("the binary starts")
            .status
            .success()
    );
    up.interrupt();
    let file = file_of(&here);
    let part = here.state().with_file_name("mob.tar.part");
    let staging = there.state().with_file_name("state.importing");
    // Each is killed at once when it has begun, and then a little later each time.
    for round in 0..6 {
        let begun = |marker: &Path, words: &[&str], example: &Example| {
            let mut command = example.command(words);
            let mut child = command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the binary starts");
            while !marker.exists() && child.try_wait().expect("a child").is_none() {
                std::thread::yield_now();
            }
            for _ in 0..round * 400_000 {
                std::hint::spin_loop();
            }
            child.kill().expect("it is a child");
            child.wait().expect("it is a child");
        };
        begun(&part, &["export", text(&file)], &here);
        if !file.exists() {
            let run = here.run(&["export", text(&file)]);
            assert_eq!(run.code, 0, "{round} {run:?}");
        }
        assert!(!part.exists());
        begun(&staging, &["import", text(&file)], &there);
        if !there.state().exists() {
            let run = there.run(&["import", text(&file)]);
            assert_eq!(run.code, 0, "{round} {run:?}");
        }
        assert!(!staging.exists());
        check_whole(&there, &there.state());
        std::fs::remove_file(&file).expect("a file");
        std::fs::remove_dir_all(there.state()).expect("a directory");
    }
}

#[test]
fn what_is_not_there_damaged_or_taken_is_said_with_the_next_step() {
    let example = Example::newsroom();
    let file = file_of(&example);
    let error = |words: &[&str]| -> (i32, Value) {
        let run = example.run(&[words, &["--json"]].concat());
        (run.code, run.document()["error"]["code"].clone())
    };
    assert_eq!(
        error(&["export", text(&file)]),
        (4, json!("state_dir.not_found"))
    );
    assert_eq!(
        error(&["import", text(&file)]),
        (4, json!("export.not_found"))
    );
    std::fs::write(&file, "no tar at all").expect("a file");
    assert_eq!(error(&["export", text(&file)]), (6, json!("export.exists")));
    assert_eq!(
        error(&["import", text(&file)]),
        (1, json!("export.damaged"))
    );
    assert!(!example.state().exists());
    std::fs::create_dir(example.state()).expect("a folder");
    std::fs::write(example.state().join("notes"), "mine").expect("a file");
    assert_eq!(
        error(&["import", text(&file)]),
        (6, json!("state_dir.not_empty"))
    );
}
