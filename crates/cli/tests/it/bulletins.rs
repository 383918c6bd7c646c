//! What must have become of the feed, told from the feed and the journal alone.

use crate::running::Example;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The lines of the feed.
pub(crate) fn feed() -> Vec<String> {
    let path = Example::folder().join("feed.jsonl");
    let text = std::fs::read_to_string(path).expect("the feed");
    text.lines().map(str::to_owned).collect()
}

pub(crate) fn report(line: &str) -> Value {
    serde_json::from_str(line).expect("each line is a report")
}

/// Magnitude 4.5 and above, or felt by somebody, or with a tsunami flag.
pub(crate) fn is_significant(report: &Value) -> bool {
    report["mag"].as_f64().expect("a magnitude") >= 4.5
        || report["felt"].as_u64().is_some_and(|felt| felt > 0)
        || report["tsunami"] == true
}

/// The reporter on whose part of the globe the report is.
pub(crate) fn reporter(report: &Value) -> &'static str {
    match report["lon"].as_f64().expect("a longitude") {
        lon if (-170.0..-30.0).contains(&lon) => "reporter-americas",
        lon if (-30.0..90.0).contains(&lon) => "reporter-eurasia",
        _ => "reporter-pacific",
    }
}

/// A journal, read for messages and their answers.
pub(crate) struct Journal<'a> {
    pub events: &'a [Value],
}

impl<'a> Journal<'a> {
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &'a Value> {
        self.events
            .iter()
            .filter(move |event| event["kind"] == kind)
            .map(|event| &event["data"])
    }

    /// The texts that `from` sent, in their order, with their receivers and message ids.
    pub fn sent(&self, from: &str) -> Vec<(&'a str, &'a str, &'a str)> {
        let sent = self
            .of_kind("message.accepted")
            .filter(|data| data["from"] == from);
        let text = |value: &'a Value| value.as_str().expect("a text");
        sent.map(|data| {
            (
                text(&data["text"]),
                text(&data["to"]),
                text(&data["message"]),
            )
        })
        .collect()
    }

    /// The answer to each message. No message has two.
    pub fn answers(&self) -> BTreeMap<&'a str, &'a str> {
        let mut answers = BTreeMap::new();
        for turn in self.of_kind("turn.completed") {
            for message in turn["messages"].as_array().expect("a list") {
                let text = turn["text"].as_str().expect("a short answer");
                let earlier = answers.insert(message.as_str().expect("an id"), text);
                assert_eq!(earlier, None, "{message} was answered twice");
            }
        }
        answers
    }

    /// Every report is answered, and every significant one became a checked bulletin, once.
    pub fn check_bulletins(&self, feed: &[String]) {
        let answers = self.answers();
        let handed = self.sent("agent:desk");
        let significant: Vec<&String> = feed
            .iter()
            .filter(|line| is_significant(&report(line)))
            .collect();
        let texts: Vec<&str> = handed.iter().map(|(text, _, _)| *text).collect();
        assert_eq!(
            texts, significant,
            "each significant report is handed over, once"
        );
        for (text, to, message) in handed {
            let report = report(text);
            assert_eq!(to, reporter(&report), "{report}");
            let answer = answers.get(message);
            check_bulletin(
                answer.unwrap_or_else(|| panic!("no bulletin on {report}")),
                &report,
            );
        }
        let drafts: BTreeSet<&str> = self
            .of_kind("message.accepted")
            .filter(|data| data["to"] == "fact-checker")
            .map(|data| data["message"].as_str().expect("an id"))
            .collect();
        assert_eq!(
            drafts.len(),
            significant.len(),
            "each draft is checked, once"
        );
        assert!(
            drafts
                .iter()
                .all(|draft| answers[draft].starts_with("Confirmed: "))
        );
    }
}

fn check_bulletin(bulletin: &str, report: &Value) {
    let time = report["time"].as_str().expect("a time");
    let place = report["place"].as_str().expect("a place").to_owned();
    for figure in [
        format!("magnitude {}", report["mag"]),
        place,
        format!("{} km", report["depth_km"]),
        time[..10].to_owned(),
        time[11..19].to_owned(),
    ] {
        assert!(bulletin.contains(&figure), "{figure} is not in: {bulletin}");
    }
}
