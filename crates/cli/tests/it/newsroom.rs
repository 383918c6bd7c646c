//! The newsroom example on its real feed, offline, as its README shows it.

use crate::bulletins::{Journal, feed, is_significant, report};
use crate::running::Example;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// Reads the journal on until `count` events of a kind have passed that are wanted.
fn follow(
    newsroom: &Example,
    kind: &str,
    count: usize,
    wanted: impl FnMut(&Value) -> bool,
) -> Vec<Value> {
    let words = ["events", "--follow", "--json", "--after", "0"];
    let mut follow = newsroom
        .command(&[&words[..], &["--kinds", kind]].concat())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let lines = BufReader::new(follow.stdout.take().expect("a pipe")).lines();
    let events =
        lines.map(|line| serde_json::from_str::<Value>(&line.expect("text")).expect("an event"));
    let found: Vec<Value> = events.filter(wanted).take(count).collect();
    assert_eq!(found.len(), count);
    follow.kill().expect("it follows");
    follow.wait().expect("it is a child");
    found
}

/// Waits until `count` turns of members whose ids begin so have ended, and returns their answers.
fn wait_for(newsroom: &Example, members: &str, count: usize) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let ended = follow(newsroom, "turn.completed", count, |event| {
        text(&event["data"]["member"]).starts_with(members)
    });
    let answers = ended.iter().map(|event| text(&event["data"]["text"]));
    answers.collect()
}

fn answer(newsroom: &Example, to: &str, text: &str) -> String {
    let run = newsroom.run(&["send", to, text, "--wait"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stdout
}

#[test]
fn every_significant_report_of_the_feed_becomes_a_checked_bulletin() {
    let newsroom = Example::newsroom();
    let mut up = newsroom.up();
    let ready = up.document();
    assert_eq!(
        (&ready["state"], &ready["rehearsal"]),
        (&json!("running"), &json!(true))
    );

    let feed = feed();
    let sent = crate::program::finish(&mut newsroom.feed());
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    let documents = sent.documents();
    assert_eq!((feed.len(), documents.len()), (297, 297));
    let mut significant = 0;
    for (line, document) in feed.iter().zip(&documents) {
        let text = document["text"]
            .as_str()
            .unwrap_or_else(|| panic!("no answer: {document}"));
        let report = report(line);
        let id = report["id"].as_str().expect("an id");
        assert!(text.starts_with(id), "{text} is not about {id}");
        assert_eq!(
            text.contains("handed to reporter-"),
            is_significant(&report),
            "{text}"
        );
        assert_eq!(
            text.contains("not significant"),
            !is_significant(&report),
            "{text}"
        );
        significant += usize::from(is_significant(&report));
    }
    assert_eq!(significant, 137);
    wait_for(&newsroom, "reporter", significant);
    Journal {
        events: &newsroom.events(),
    }
    .check_bulletins(&feed);

    let (code, last) = up.interrupt();
    assert_eq!(
        (code, &last["state"]),
        (Some(0), &json!("stopped")),
        "{last}"
    );
    assert_eq!(last["clean"], true, "{last}");
    let report = &last["report"];
    assert_eq!(report["state"], "stopped", "{last}");
    assert_eq!(report["drain"]["turns_cancelled"], 0, "{last}");
    assert_eq!(report["drain"]["timed_out"], false, "{last}");
}

#[test]
fn the_fact_checker_names_what_differs_and_the_desk_names_its_peers() {
    let newsroom = Example::newsroom();
    let mut up = newsroom.up();
    up.document();
    let line = &feed()[0];
    let report = report(line);
    let draft = "Earthquake of magnitude 6.3: 50km NNW of Sangiang, Indonesia. Depth 15.18 km, \
                 time 2018-01-31 02:00:32 UTC.";
    let asked = json!({"draft": draft, "report": report}).to_string();
    let said = answer(&newsroom, "fact-checker", &asked);
    let expected = "Differs: magnitude 6.3 in the draft, 5.3 in the report; time 2018-01-31 \
                    02:00:32 in the draft, 2018-01-31T02:00:31.800Z in the report\n";
    assert_eq!(said, expected);
    let right = draft.replace("6.3", "5.3").replace(":32", ":31");
    let asked = json!({"draft": right, "report": report}).to_string();
    assert_eq!(
        answer(&newsroom, "fact-checker", &asked),
        format!("Confirmed: {right}\n")
    );
    let said = answer(&newsroom, "desk", "What came after us2000crkq?");
    let next = "us2000crl8: magnitude 4.7, 232km ENE of Raoul Island, New Zealand\n";
    assert_eq!(said, next);
    let said = answer(&newsroom, "desk", "Who is there?");
    assert!(
        said.contains("reporter-americas, reporter-eurasia, reporter-pacific"),
        "{said}"
    );
    assert_eq!(up.interrupt().0, Some(0));
}

/// What waits for a decision: one thing, and it is the wish to publish.
fn wish(newsroom: &Example) -> Value {
    let run = newsroom.run(&["approvals", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let waiting = run.documents()[0]["approvals"].clone();
    assert_eq!(waiting.as_array().map(Vec::len), Some(1), "{waiting}");
    assert_eq!(waiting[0]["tool"], "module:wire/publish", "{waiting}");
    waiting[0].clone()
}

fn decide(newsroom: &Example, words: &[&str]) {
    let run = newsroom.run(words);
    assert_eq!(run.code, 0, "{}", run.stderr);
}

fn published(newsroom: &Example, file: &str) -> Vec<Value> {
    let file = newsroom.mob().join("published").join(file);
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().map(report).collect()
}

/// What was published reaches the readers, once.
fn check_readers(newsroom: &Example, bulletin: &str) {
    follow(newsroom, "delivery.delivered", 1, |_| true);
    let lines = published(newsroom, "deliveries.jsonl");
    assert_eq!(lines.len(), 1, "readers got it once: {lines:?}");
    assert_eq!(lines[0]["recipient"], "readers", "{lines:?}");
    let payload = lines[0]["payload"].to_string();
    assert!(payload.contains(bulletin), "{payload}");
}

#[test]
fn what_the_desk_wants_to_publish_waits_for_a_person_even_over_a_kill() {
    let newsroom = Example::copy_of("newsroom");
    let publish = [
        "send",
        "desk",
        "publish the strongest report of the week",
        "--wait",
    ];
    let mut up = newsroom.up();
    up.document();
    let run = newsroom.run(&publish);
    assert_eq!(run.code, 8, "it waits for a person: {run:?}");
    let wanted = wish(&newsroom);
    let bulletin = wanted["args"]["bulletin"]
        .as_str()
        .expect("a text")
        .to_owned();
    assert!(
        bulletin.starts_with("Earthquake of magnitude 6.4: 22km NNE of Hualian"),
        "{bulletin}"
    );
    assert!(
        run.stderr.contains(wanted["id"].as_str().expect("an id")),
        "{run:?}"
    );

    up.kill();
    let mut up = newsroom.up();
    up.document();
    let again = wish(&newsroom);
    assert_eq!(
        (&again["id"], &again["digest"]),
        (&wanted["id"], &wanted["digest"])
    );
    assert!(
        published(&newsroom, "bulletins.jsonl").is_empty(),
        "nobody has approved"
    );
    let text = |wish: &Value, name: &str| wish[name].as_str().expect("a text").to_owned();
    let (id, digest) = (text(&again, "id"), text(&again, "digest"));
    decide(&newsroom, &["approve", &id, "--yes", "--digest", &digest]);
    let said = wait_for(&newsroom, "desk", 1);
    assert_eq!(said, [format!("Published, number 1: {bulletin}")]);

    up.kill();
    let mut up = newsroom.up();
    up.document();
    let lines = published(&newsroom, "bulletins.jsonl");
    assert_eq!(lines.len(), 1, "it went out once: {lines:?}");
    assert_eq!(lines[0]["bulletin"], bulletin.as_str());
    check_readers(&newsroom, &bulletin);
    assert_eq!(newsroom.run(&publish).code, 8);
    let id = text(&wish(&newsroom), "id");
    decide(&newsroom, &["deny", &id, "--yes", "-m", "too early"]);
    let said = wait_for(&newsroom, "desk", 2);
    assert!(
        said[1].starts_with("Not published: ") && said[1].contains("too early"),
        "{said:?}"
    );
    for file in ["bulletins.jsonl", "deliveries.jsonl"] {
        assert_eq!(published(&newsroom, file).len(), 1, "{file}");
    }
    let (code, last) = up.interrupt();
    assert_eq!(
        (code, &last["report"]["orphan_processes"]),
        (Some(0), &json!(0)),
        "{last}"
    );
}
