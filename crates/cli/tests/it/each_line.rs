//! One message for each line, through crashes of either side.

use crate::fake::{Fake, Reply};
use crate::mob::Mob;
use crate::program::{Place, point};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn lines(count: usize) -> (String, Vec<String>) {
    let lines: Vec<String> = (1..=count).map(|i| format!("report {i}")).collect();
    (lines.join("\n") + "\n", lines)
}

fn serving(mob: &Arc<Mob>) -> Fake {
    let shared = Arc::clone(mob);
    Fake::start(move |request| shared.answer(request))
}

const SEND: [&str; 4] = ["send", "desk", "--each-line", "feed.jsonl"];

#[test]
fn each_line_is_a_message_in_order() {
    let mob = Arc::new(Mob::default());
    let server = serving(&mob);
    let place = Place::of(&server);
    place.write("feed.jsonl", "one\n\n  \ntwo\r\nthree");
    let run = place.run(&SEND);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(mob.texts(), ["one", "two", "three"]);
    assert_eq!(run.stdout.lines().count(), 3);
    assert!(run.stderr.contains("3 of 3 lines done"), "{run:?}");
}

#[test]
fn repeating_the_command_sends_nothing_twice() {
    let mob = Arc::new(Mob::default());
    let server = serving(&mob);
    let place = Place::of(&server);
    let (content, texts) = lines(20);
    place.write("feed.jsonl", &content);
    let first = place.run(&SEND);
    let second = place.run(&SEND);
    assert_eq!((first.code, &first.stdout), (0, &second.stdout));
    assert_eq!(mob.texts(), texts);
    let from_stdin = place.run_with(&["send", "desk", "--each-line", "-"], &content);
    assert_eq!((from_stdin.code, mob.texts().len()), (0, 20));
}

#[test]
fn keys_are_made_of_the_content_the_number_and_the_line() {
    let mob = Arc::new(Mob::default());
    let server = serving(&mob);
    let place = Place::of(&server);
    place.write("feed.jsonl", "a\na\n");
    assert_eq!(place.run(&SEND).code, 0);
    assert_eq!(mob.keys().len(), 2);
    let run = place.run_with(
        &["send", "desk", "--each-line", "-", "--key", "feed"],
        "a\nb\n",
    );
    assert_eq!(run.code, 0, "{run:?}");
    let named: Vec<String> = mob
        .keys()
        .into_iter()
        .filter(|key| key.starts_with("feed:"))
        .collect();
    assert_eq!(
        named,
        ["feed:1:ca978112ca1bbdca", "feed:2:3e23e8160039594a"]
    );
}

#[test]
fn a_server_that_dies_and_comes_back_elsewhere_gets_each_line_once() {
    let mob = Arc::new(Mob::default());
    let second = serving(&mob);
    let place = Place::empty();
    std::fs::create_dir(place.path().join(".mobkit")).expect("a state directory");
    let (folder, url) = (place.path().to_owned(), second.url().to_owned());
    let (shared, count) = (Arc::clone(&mob), AtomicUsize::new(0));
    let first = Fake::start(move |request| match count.fetch_add(1, Ordering::SeqCst) {
        0..7 => shared.answer(request),
        // It dies after the message became durable, and before it could say so.
        7 => {
            shared.answer(request);
            point(&folder, &url);
            Reply::Vanish
        }
        _ => Reply::Vanish,
    });
    point(place.path(), first.url());
    let (content, texts) = lines(30);
    place.write("feed.jsonl", &content);
    let run = place.run(&SEND);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(mob.texts(), texts);
    assert_eq!(run.stdout.lines().count(), 30);
    assert!(!second.seen().is_empty());
}

#[test]
fn answers_come_in_the_order_of_the_lines() {
    let mob = Arc::new(Mob::default());
    let server = serving(&mob);
    let place = Place::of(&server);
    let (content, texts) = lines(40);
    place.write("feed.jsonl", &content);
    let run = place.run(&[&SEND[..], &["--wait"]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(mob.texts(), texts);
    let answers: Vec<Value> = run.documents();
    for (i, answer) in answers.iter().enumerate() {
        assert_eq!(answer["line"], i + 1);
        assert_eq!(answer["text"], format!("re: report {}", i + 1));
        assert_eq!(answer["status"], "completed");
    }
    assert_eq!(answers.len(), 40);
    let again = place.run(&[&SEND[..], &["--wait"]].concat());
    assert_eq!(again.stdout, run.stdout);
}

#[test]
fn a_line_without_an_answer_does_not_stop_the_others() {
    let mob = Arc::new(Mob::default());
    let server = serving(&mob);
    let place = Place::of(&server);
    place.write("feed.jsonl", "one\nfail\nhuman\ntwo\n");
    let run = place.run(&[&SEND[..], &["--wait"]].concat());
    assert_eq!(run.code, 1, "{run:?}");
    let statuses: Vec<Value> = run
        .documents()
        .iter()
        .map(|d| d["status"].clone())
        .collect();
    assert_eq!(statuses, ["completed", "failed", "waiting", "completed"]);
    let told = "4 of 4 lines done, 1 failed, 1 waiting for a person\n";
    assert!(run.stderr.ends_with(told), "{run:?}");
    place.write("feed.jsonl", "one\nhuman\nhang\n");
    let run = place.run(&[&SEND[..], &["--wait", "--timeout", "2s"]].concat());
    assert_eq!(run.code, 8, "{run:?}");
}

#[test]
fn a_line_that_waits_for_a_decision_does_not_stop_the_others() {
    let mob = Arc::new(Mob::default());
    let server = serving(&mob);
    let place = Place::of(&server);
    place.write("feed.jsonl", "one\ngated\ntwo\n");
    let run = place.run(&[&SEND[..], &["--wait"]].concat());
    assert_eq!(run.code, 8, "{run:?}");
    let documents = run.documents();
    let statuses: Vec<&Value> = documents.iter().map(|d| &d["status"]).collect();
    assert_eq!(statuses, ["completed", "waiting", "completed"]);
    let approval = documents[1]["approval"].as_str().expect("an id");
    let told = format!("line 2: waiting for approval {approval} (module:mail/send) - approve: ");
    assert!(run.stderr.contains(&told), "{run:?}");
    let told = "3 of 3 lines done, 1 waiting for a person\n";
    assert!(run.stderr.ends_with(told), "{run:?}");
}

#[test]
fn a_refusal_stops_and_names_the_line() {
    let server = Fake::start(|request| {
        if request.body["content"] == "two" {
            crate::fake::problem(409, "conflict", "message.key_reused", "other content")
        } else {
            Reply::Json(200, json!({"message": "msg-1", "seq": 1}))
        }
    });
    let place = Place::of(&server);
    place.write("feed.jsonl", "one\ntwo\nthree\n");
    let run = place.run(&[&SEND[..], &["--json"]].concat());
    assert_eq!(run.code, 6);
    let documents = run.documents();
    assert_eq!(
        documents[0],
        json!({"line": 1, "message": "msg-1", "seq": 1})
    );
    assert_eq!((&documents[1]["line"], documents.len()), (&json!(2), 2));
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn the_same_file_for_another_member_is_sent_too() {
    let server = Fake::always(200, json!({"message": "msg-1", "seq": 1}));
    let place = Place::of(&server);
    place.write("feed.jsonl", "one\n");
    for member in ["desk", "night", "desk"] {
        let run = place.run(&["send", member, "--each-line", "feed.jsonl"]);
        assert_eq!(run.code, 0, "{run:?}");
    }
    let keys: Vec<Value> = server
        .seen()
        .iter()
        .map(|r| r.body["key"].clone())
        .collect();
    assert_eq!(keys[0], keys[2]);
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn stdin_without_a_key_says_that_its_lines_are_sent_once() {
    let server = Fake::always(200, json!({"message": "msg-1", "seq": 1}));
    let place = Place::of(&server);
    let words = ["send", "desk", "--each-line", "-"];
    let run = place.run_with(&words, "one\n");
    assert!(
        run.stderr.contains("--key NAME sends them again"),
        "{run:?}"
    );
    let run = place.run_with(&[&words[..], &["--key", "k"]].concat(), "one\n");
    assert_eq!(run.stderr, "1 line done\n");
}
