//! The newsroom under SIGKILL, at random moments, and its journal afterwards.
//!
//! `cargo xtask kill-test` runs the same test with many kills.

use crate::bulletins::{Journal, feed};
use crate::running::{Example, Up};
use mobkit::id::MobId;
use mobkit::{Durability, SqliteStore, Store};
use reqwest::{Client, Response};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::hint::spin_loop;
use std::time::Duration;

/// How long the journal may stand still while work is left.
const STANDSTILL_MAX: Duration = Duration::from_mins(1);
/// Turns that were interrupted so often without getting on are given up at the next interruption,
/// and rightly so. See `mobkit_domain`, recovery of turns.
const RECOVERIES_SAFE_MAX: u64 = 1;
/// Kinds that stand for something that must not happen to this mob.
const WRONG_KINDS: [&str; 12] = [
    "turn.failed",
    "turn.cancelled",
    "member.failed",
    "member.quarantined",
    "message.cancelled",
    "message.expired",
    "message.refused",
    "model.failed",
    "tool.failed",
    "tool.refused",
    "tool.unknown",
    "error.raised",
];

/// Random numbers from a seed (splitmix64, by Sebastiano Vigna, public domain).
struct Chance(u64);

impl Chance {
    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    /// Passes up to so many turns of an empty loop, so that moments between events are met too.
    fn linger(&mut self, loops_max: u64) {
        for _ in 0..self.below(loops_max) {
            spin_loop();
        }
    }
}

/// What was read of the journal over all lives of the process.
#[derive(Default)]
struct Known {
    events: Vec<Value>,
    fed: usize,
    waiting: BTreeSet<String>,
    /// How often open turns were interrupted since they last got on, where they were.
    recoveries: BTreeMap<String, u64>,
}

impl Known {
    fn head(&self) -> u64 {
        self.events.len() as u64
    }

    fn take(&mut self, event: Value) {
        assert_eq!(event["seq"], self.head() + 1, "dense and in order: {event}");
        let kind = event["kind"].as_str().expect("a kind");
        assert!(!WRONG_KINDS.contains(&kind), "{event}");
        let data = &event["data"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match kind {
            "message.accepted" => {
                self.fed += usize::from(text(&data["from"]).starts_with("operator:"));
                self.waiting.insert(text(&data["message"]));
            }
            "turn.resumed" => {
                let recoveries = data["recoveries"].as_u64().expect("a number");
                self.recoveries.insert(text(&data["turn"]), recoveries);
            }
            "model.replied" | "tool.finished" => {
                self.recoveries.remove(&text(&data["turn"]));
            }
            "turn.completed" => {
                self.recoveries.remove(&text(&data["turn"]));
                for message in data["messages"].as_array().expect("a list") {
                    self.waiting.remove(&text(message));
                }
            }
            _ => {}
        }
        self.events.push(event);
    }

    /// The most interruptions of an open turn without getting on.
    fn recoveries_max(&self) -> u64 {
        self.recoveries.values().copied().max().unwrap_or(0)
    }

    fn is_done(&self, fed: usize) -> bool {
        self.fed == fed && self.waiting.is_empty()
    }
}

/// A life of the process: the server, and the journal as it streams it.
struct Life {
    up: Up,
    stream: Response,
    rest: Vec<u8>,
    /// Where the journal ended when the stream began.
    head: u64,
}

impl Life {
    async fn begin(newsroom: &Example, known: &Known) -> Self {
        let mut up = newsroom.up();
        let ready = up.document();
        let url = ready["url"].as_str().expect("an address").to_owned();
        let token = std::fs::read_to_string(newsroom.state().join("operator.token"));
        let token = token.expect("a token");
        let get = async |path: String| {
            let request = Client::new().get(path).bearer_auth(token.trim());
            let request = request.header("accept", "application/x-ndjson");
            request
                .send()
                .await
                .and_then(Response::error_for_status)
                .expect("an answer")
        };
        let status = get(format!("{url}api/v1/mob/status"))
            .await
            .bytes()
            .await
            .expect("a body");
        let status: Value = serde_json::from_slice(&status).expect("a document");
        let head = status["head"].as_u64().expect("a position");
        let stream = get(format!(
            "{url}api/v1/events?follow=true&after={}",
            known.head()
        ))
        .await;
        Self {
            up,
            stream,
            rest: Vec::new(),
            head,
        }
    }

    /// Reads on, by at least one event. The stream is kept alive by lines that are none.
    async fn read(&mut self, known: &mut Known) {
        let head = known.head();
        let reading = async {
            while known.head() == head {
                let chunk = self.stream.chunk().await.expect("a stream");
                self.rest.extend(chunk.expect("the stream goes on"));
                while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = self.rest.drain(..=end).collect();
                    if !line.trim_ascii().is_empty() {
                        known.take(serde_json::from_slice(&line).expect("an event"));
                    }
                }
            }
        };
        let moved = tokio::time::timeout(STANDSTILL_MAX, reading).await.is_ok();
        assert!(
            moved,
            "nothing moves after event {head}; waiting: {:?}",
            known.waiting
        );
    }
}

/// Feeds the newsroom, kills it `kills` times, and returns what was read and the last life.
async fn run(newsroom: &Example, kills: u64, seed: u64) -> (Known, Life) {
    let fed = feed().len();
    let mut chance = Chance(seed);
    let mut known = Known::default();
    let mut life = Life::begin(newsroom, &known).await;
    let answers = newsroom.log().with_file_name("answers.jsonl");
    let complaints = File::create(newsroom.log().with_file_name("send.log")).expect("a log");
    let mut sender = newsroom.feed();
    sender
        .stdout(File::create(&answers).expect("a file"))
        .stderr(complaints);
    let mut sender = sender.spawn().expect("the binary starts");
    // A journal of this feed has about twelve events for each line; the kills fall among the first
    // two thirds of them.
    let gap_max = (fed as u64 * 16 / kills.max(1)).max(2);
    let mut killed = 0;
    let mut gap = 1 + chance.below(gap_max);
    while !known.is_done(fed) {
        life.read(&mut known).await;
        let is_due = known.head() >= life.head + gap;
        if killed == kills || !is_due || known.recoveries_max() > RECOVERIES_SAFE_MAX {
            continue;
        }
        chance.linger(100_000);
        life.up.kill();
        killed += 1;
        // Now and then a start is killed as well, but not where a turn might have had enough.
        if killed < kills && known.recoveries.is_empty() && chance.below(4) == 0 {
            let start = newsroom.up();
            chance.linger(4_000_000);
            start.kill();
            killed += 1;
        }
        life = Life::begin(newsroom, &known).await;
        gap = 1 + chance.below(gap_max);
    }
    assert_eq!(killed, kills, "all work was done before the last kill");
    assert!(
        sender.wait().expect("it is a child").success(),
        "the sender gave up"
    );
    let answers = std::fs::read_to_string(&answers).expect("a file");
    assert_eq!(answers.lines().count(), fed, "one answer for each line");
    assert!(
        answers
            .lines()
            .all(|line| line.contains(r#""status":"completed""#)),
        "{answers}"
    );
    (known, life)
}

/// Everything that is promised of a journal, whatever happened to the process.
fn check(events: &[Value], feed: &[String]) {
    let journal = Journal { events };
    let operators: BTreeSet<&str> = journal
        .of_kind("message.accepted")
        .filter_map(|data| {
            data["from"]
                .as_str()
                .filter(|from| from.starts_with("operator:"))
        })
        .collect();
    let operator = operators.first().expect("a sender");
    let sent: Vec<&str> = journal
        .sent(operator)
        .into_iter()
        .map(|(text, _, _)| text)
        .collect();
    assert_eq!(
        (operators.len(), sent),
        (1, feed.iter().map(String::as_str).collect())
    );
    let accepted: BTreeSet<&str> = journal
        .of_kind("message.accepted")
        .map(|data| data["message"].as_str().expect("an id"))
        .collect();
    let answered: BTreeSet<&str> = journal.answers().into_keys().collect();
    assert_eq!(accepted, answered, "every accepted message is answered");
    let mut steps = BTreeSet::new();
    for reply in journal.of_kind("model.replied") {
        let step = (reply["turn"].to_string(), reply["step"].to_string());
        assert!(steps.insert(step), "recorded twice for one step: {reply}");
    }
    journal.check_bulletins(feed);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the chore asks for more kills, or for a seed"
)]
fn asked(name: &str, otherwise: u64) -> u64 {
    let Ok(value) = std::env::var(name) else {
        return otherwise;
    };
    value
        .parse()
        .unwrap_or_else(|_| panic!("{name} is no number: {value}"))
}

#[tokio::test]
async fn nothing_is_lost_or_done_twice_under_sigkill() {
    let (kills, seed) = (asked("MOBKIT_TEST_KILLS", 5), asked("MOBKIT_TEST_SEED", 1));
    eprintln!("{kills} kills, seed {seed}");
    let newsroom = Example::newsroom();
    let (known, life) = run(&newsroom, kills, seed).await;
    let events = newsroom.events();
    let count = known.events.len();
    assert!(
        events[..count] == known.events,
        "what was streamed is what is kept"
    );
    check(&events, &feed());
    let resumed = Journal { events: &events }.of_kind("turn.resumed").count();
    let (code, last) = life.up.interrupt();
    assert_eq!(code, Some(0), "{last}");
    let store = SqliteStore::open(&newsroom.state(), Durability::Power).expect("a store");
    let mob = MobId::parse("newsroom").expect("an id");
    let found = store.verify(&mob).await.expect("it can be read");
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    assert!(found.events > count as u64, "{found:?}");
    eprintln!(
        "{count} events, {resumed} turns resumed, {} rows, verify clean",
        found.rows
    );
}
