//! The newsroom example on its real feed, offline, as its README shows it.

use crate::bulletins::{Journal, feed, is_significant, report};
use crate::running::Newsroom;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// Reads the journal on until `bulletins` turns of reporters have ended.
fn wait_for(newsroom: &Newsroom, bulletins: usize) {
    let mut follow = newsroom
        .command(&["events", "--follow", "--json", "--kinds", "turn.completed"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let lines = BufReader::new(follow.stdout.take().expect("a pipe")).lines();
    let of_reporters = lines
        .map(|line| serde_json::from_str::<Value>(&line.expect("text")).expect("an event"))
        .filter(|event| {
            event["data"]["member"]
                .as_str()
                .is_some_and(|m| m.starts_with("reporter"))
        });
    assert_eq!(of_reporters.take(bulletins).count(), bulletins);
    follow.kill().expect("it follows");
    follow.wait().expect("it is a child");
}

fn answer(newsroom: &Newsroom, to: &str, text: &str) -> String {
    let run = newsroom.run(&["send", to, text, "--wait"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stdout
}

#[test]
fn every_significant_report_of_the_feed_becomes_a_checked_bulletin() {
    let newsroom = Newsroom::empty();
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
    wait_for(&newsroom, significant);
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
    let newsroom = Newsroom::empty();
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
    let said = answer(&newsroom, "desk", "Who is there?");
    assert!(
        said.contains("reporter-americas, reporter-eurasia, reporter-pacific"),
        "{said}"
    );
    assert_eq!(up.interrupt().0, Some(0));
}
