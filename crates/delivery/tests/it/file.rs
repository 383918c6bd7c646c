//! Lines of a file.

use crate::kit::{Outbox, failure, route, sending};
use mobkit_delivery::{Sending, Sent};
use mobkit_domain::definition::Route;
use mobkit_domain::time::Time;
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write;

fn to_file(path: &str) -> Route {
    route(&json!({ "kind": "file", "path": path }))
}

fn repeated(id: &str) -> Sending {
    Sending {
        repeated: true,
        ..sending(id)
    }
}

/// The ids of the whole lines.
fn ids(outbox: &Outbox) -> Vec<String> {
    let text = std::fs::read_to_string(outbox.path("out.jsonl")).expect("the file");
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .map(|line| line["id"].as_str().expect("an id").to_owned())
        .collect()
}

async fn write(outbox: &Outbox, sending: Sending) {
    let sent = outbox.attempt(&to_file("out.jsonl"), sending).await;
    assert!(
        matches!(sent, Sent::Delivered { status: None, .. }),
        "{sent:?}"
    );
}

#[tokio::test]
async fn a_delivery_is_one_line() {
    let outbox = Outbox::new();
    let mut first = sending("news:dlv-1");
    first.payload = json!({ "text": "two\nlines \u{2028} and \"marks\"" });
    first.queued = Time::parse("2026-11-22T06:00:00.123Z").expect("a time");
    write(&outbox, first).await;
    let mut second = sending("news:dlv-2");
    second.channel = None;
    write(&outbox, second).await;
    let text = std::fs::read_to_string(outbox.path("out.jsonl")).expect("the file");
    let lines: Vec<Value> = text
        .split_terminator('\n')
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(
        lines[0],
        json!({
            "id": "news:dlv-1", "time": "2026-11-22T06:00:00.123Z", "recipient": "ops",
            "channel": "alert", "payload": { "text": "two\nlines \u{2028} and \"marks\"" },
        })
    );
    assert_eq!((lines.len(), lines[1].get("channel")), (2, None));
}

#[tokio::test]
async fn a_repetition_adds_nothing_and_a_torn_line_is_ended() {
    let outbox = Outbox::new();
    write(&outbox, sending("a")).await;
    write(&outbox, repeated("a")).await;
    let mut file = OpenOptions::new()
        .append(true)
        .open(outbox.path("out.jsonl"))
        .expect("it");
    file.write_all(br#"{"id":"b","ti"#).expect("torn");
    write(&outbox, repeated("b")).await;
    write(&outbox, repeated("b")).await;
    assert_eq!(ids(&outbox), ["a", "b"]);
    let text = std::fs::read_to_string(outbox.path("out.jsonl")).expect("the file");
    assert_eq!(
        text.lines().count(),
        3,
        "what was torn stands on a line of its own"
    );
}

#[tokio::test]
async fn a_repetition_finds_its_line_behind_many_others() {
    let outbox = Outbox::new();
    write(&outbox, sending("a")).await;
    let mut file = OpenOptions::new()
        .append(true)
        .open(outbox.path("out.jsonl"))
        .expect("it");
    let other = json!({ "id": "x", "note": "a".repeat(1_000) }).to_string();
    for _ in 0..1_000 {
        writeln!(file, "{other}").expect("a line");
    }
    writeln!(file, "no JSON, by somebody else").expect("a line");
    write(&outbox, repeated("a")).await;
    assert_eq!(ids(&outbox).iter().filter(|id| *id == "a").count(), 1);
}

#[tokio::test]
async fn an_attempt_that_wrote_its_line_and_failed_afterwards_is_not_written_twice() {
    let outbox = Outbox::new();
    write(&outbox, sending("a")).await;
    write(&outbox, sending("a")).await;
    assert_eq!(ids(&outbox), ["a"]);
}

#[tokio::test]
async fn lines_of_many_attempts_and_routes_do_not_mix() {
    let outbox = Outbox::new();
    let one = to_file("out.jsonl");
    let mut two = to_file("./out.jsonl");
    two.id = mobkit_domain::id::RouteId::parse("other").expect("an id");
    let attempts = (0..40).map(|n| {
        let mut sending = sending(&format!("d{n}"));
        sending.payload = json!("x".repeat(50_000));
        outbox.attempt(if n % 2 == 0 { &one } else { &two }, sending)
    });
    for sent in futures::future::join_all(attempts).await {
        assert!(matches!(sent, Sent::Delivered { .. }), "{sent:?}");
    }
    let mut found = ids(&outbox);
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 40);
    let text = std::fs::read_to_string(outbox.path("out.jsonl")).expect("the file");
    assert_eq!(text.lines().count(), 40);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_somebody_else_has_locked_is_waited_for_and_then_left() {
    let outbox = Outbox::new();
    let route = to_file("out.jsonl");
    let file = std::fs::File::create(outbox.path("out.jsonl")).expect("a file");
    file.lock().expect("locked");
    let left = failure(outbox.attempt(&route, sending("a")).await);
    assert!(left.reason.contains("locked") && !left.hopeless, "{left:?}");
    file.unlock().expect("unlocked");
    write(&outbox, sending("a")).await;
    assert_eq!(ids(&outbox), ["a"]);
}

#[tokio::test]
async fn what_can_not_be_written_is_a_failure_that_names_the_path() {
    let outbox = Outbox::new();
    std::fs::create_dir(outbox.path("folder")).expect("a folder");
    for path in ["missing/out.jsonl", "folder", "/dev/null"] {
        let failure = failure(outbox.attempt(&to_file(path), sending("a")).await);
        assert!(
            failure.reason.contains(path) && !failure.hopeless,
            "{failure:?}"
        );
    }
    assert!(!outbox.path("missing").exists(), "no folder is made");
}

#[tokio::test]
async fn a_link_leads_to_its_file() {
    let outbox = Outbox::new();
    std::fs::create_dir(outbox.path("archive")).expect("a folder");
    let target = outbox.path("archive/real.jsonl");
    std::os::unix::fs::symlink(&target, outbox.path("out.jsonl")).expect("a link");
    write(&outbox, sending("a")).await;
    write(&outbox, repeated("a")).await;
    assert_eq!(ids(&outbox), ["a"]);
    assert!(target.is_file());
    let link = std::fs::symlink_metadata(outbox.path("out.jsonl")).expect("a link");
    assert!(link.is_symlink(), "the link is still one");
}
