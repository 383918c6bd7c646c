//! Tool calls under SIGKILL: what was asked of a module, told by the module itself.
//!
//! The module writes down each request before anything else, so its file knows more than the
//! journal does. At its desk a test holds it up wherever it wants to.

use crate::running::{Example, Up};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::hint::spin_loop;
use std::io::{BufRead, BufReader, Lines, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

/// Kills at random moments.
const ROUNDS: u64 = 20;
/// How often it is looked whether processes have ended, and the pause between.
const LOOKS_MAX: u32 = 1_500;
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// The mob of `programs/hands`, and a life of the process.
struct Hands {
    example: Example,
    up: Option<Up>,
}

impl Hands {
    fn up() -> Self {
        let mut hands = Self {
            example: Example::of_test("hands"),
            up: None,
        };
        hands.start();
        hands
    }

    fn start(&mut self) {
        let mut up = self.example.up();
        up.document();
        self.up = Some(up);
    }

    fn kill(&mut self) {
        self.up.take().expect("it runs").kill();
    }

    fn stop(&mut self) -> (Option<i32>, Value) {
        self.up.take().expect("it runs").interrupt()
    }

    /// Opens a desk: from now on the module asks before it answers.
    fn desk(&self) -> Desk {
        let path = self.example.mob().join("desk");
        let _ = std::fs::remove_file(&path);
        Desk(UnixListener::bind(path).expect("a socket"))
    }

    fn send(&self, member: &str, text: &str) {
        let run = self.example.run(&["send", member, text]);
        assert_eq!(run.code, 0, "{run:?}");
    }

    /// Runs a client that prints one document, or fails.
    fn client(&self, words: &[&str]) -> Result<Value, i32> {
        let run = self.example.run(&[words, &["--json"]].concat());
        match run.code {
            0 => Ok(run.document()),
            code => Err(code),
        }
    }

    fn resolve(&self, call: &str, more: &Value) -> Result<Value, i32> {
        let mut params = more.clone();
        params["call"] = json!(call);
        self.client(&["rpc", "tool/resolve", &params.to_string()])
    }

    /// The one approval that waits.
    fn pending(&self) -> Value {
        let mut listed = self.client(&["approvals"]).expect("a list");
        assert_eq!(
            listed["approvals"].as_array().map(Vec::len),
            Some(1),
            "{listed}"
        );
        listed["approvals"][0].take()
    }

    /// The events after a position, as they come.
    fn follow(&self, after: u64) -> Follow {
        let after = after.to_string();
        let words = ["events", "--follow", "--json", "--after", &after];
        let mut child = self
            .example
            .command(&words)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stdout = child.stdout.take().expect("a pipe");
        let lines = BufReader::new(stdout).lines();
        Follow { child, lines }
    }

    /// Waits until the turn of a member has ended or stands still for a person.
    fn settled(&self, member: &str, after: u64) -> Value {
        self.follow(after).until(|event| {
            event["data"]["member"] == member && (is_end(event) || is_waiting(event))
        })
    }

    fn lines_of(&self, file: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.example.mob().join(file)).unwrap_or_default();
        let parse = |line: &str| serde_json::from_str(line).expect("each line is a document");
        text.lines().map(parse).collect()
    }

    /// The call ids under which the module was asked for something, in their order.
    fn asked(&self, what: &str) -> Vec<String> {
        let asked = self.lines_of("asked.jsonl").into_iter();
        let asked = asked.filter(|line| line["args"]["what"] == what);
        asked
            .map(|line| line["call"].as_str().expect("an id").to_owned())
            .collect()
    }
}

fn is_end(event: &Value) -> bool {
    let ends = ["turn.completed", "turn.failed", "turn.cancelled"];
    ends.iter().any(|end| event["kind"] == *end)
}

fn is_waiting(event: &Value) -> bool {
    event["kind"] == "tool.unknown" || event["kind"] == "approval.requested"
}

/// The events of a kind about a call.
fn about(events: &[Value], kind: &str, call: &str) -> usize {
    let found = events
        .iter()
        .filter(|event| event["kind"] == kind && event["data"]["call"] == call);
    found.count()
}

/// What became of the turns, in their order: the kind of the end and the answer.
fn ends(events: &[Value]) -> Vec<(&str, &str)> {
    let ended = events.iter().filter(|event| is_end(event));
    ended
        .map(|event| {
            let (kind, text) = (&event["kind"], &event["data"]["text"]);
            (kind.as_str().unwrap_or(""), text.as_str().unwrap_or(""))
        })
        .collect()
}

/// Where the module asks whether it may answer.
struct Desk(UnixListener);

impl Desk {
    /// The next request that the module was asked for and has written down.
    fn next(&self) -> Visit {
        let (stream, _) = self.0.accept().expect("the module comes");
        let mut lines = BufReader::new(stream.try_clone().expect("a handle")).lines();
        let line = lines.next().expect("a line").expect("text");
        let call: Value = serde_json::from_str(&line).expect("a document");
        let call = call["call"].as_str().expect("an id").to_owned();
        Visit {
            stream,
            lines,
            call,
        }
    }
}

/// A request that waits in the module.
struct Visit {
    stream: UnixStream,
    lines: Lines<BufReader<UnixStream>>,
    call: String,
}

impl Visit {
    /// Lets the module answer, and returns when it has written the answer.
    fn answer(mut self) {
        self.stream.write_all(b"!").expect("the module listens");
        let said = self.lines.next().expect("a line").expect("text");
        assert_eq!(said, "answered");
    }
}

/// A reader of the journal.
struct Follow {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Follow {
    fn next(&mut self) -> Value {
        let line = self
            .lines
            .next()
            .expect("the stream goes on")
            .expect("text");
        serde_json::from_str(&line).expect("an event")
    }

    fn until(mut self, found: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.next();
            if found(&event) {
                return event;
            }
        }
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        // It follows until it is told to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_call_that_may_be_repeated_is_repeated_under_its_id_and_the_turn_ends_once() {
    for (member, tool) in [("looker", "look"), ("putter", "put")] {
        let mut hands = Hands::up();
        let desk = hands.desk();
        hands.send(member, &format!("{tool} it 0"));
        let call = desk.next().call;
        hands.kill();
        hands.start();
        desk.next().answer();
        let end = hands.settled(member, 0);
        assert_eq!(end["kind"], "turn.completed", "{end}");
        assert_eq!(hands.asked("it"), [call.clone(), call.clone()]);
        assert_eq!(hands.stop().0, Some(0));
        hands.start();
        let events = hands.example.events();
        assert_eq!(ends(&events), [("turn.completed", "done it")]);
        assert_eq!(about(&events, "tool.finished", &call), 1);
        assert_eq!(about(&events, "tool.unknown", &call), 0);
        assert_eq!(hands.asked("it").len(), 2, "a later start asks for nothing");
    }
}

/// A call with an effect that was in the module when mobkit was killed: its id.
fn unknown() -> (Hands, String) {
    let mut hands = Hands::up();
    let desk = hands.desk();
    hands.send("payer", "pay it 0");
    let visit = desk.next();
    hands.kill();
    drop(desk);
    hands.start();
    let event = hands.settled("payer", 0);
    assert_eq!(event["kind"], "tool.unknown", "{event}");
    assert_eq!(event["data"]["call"], visit.call.as_str());
    assert_eq!(
        event["data"]["reason"],
        "mobkit ended in the middle of the call"
    );
    // It waits, and another start does not change that.
    hands.kill();
    hands.start();
    let listed = hands.client(&["approvals"]).expect("a list");
    assert_eq!(
        listed["unknown"][0]["call"],
        visit.call.as_str(),
        "{listed}"
    );
    let member = hands.client(&["rpc", "member/get", r#"{"member":"payer"}"#]);
    assert_eq!(member.expect("a member")["state"], "waiting");
    assert_eq!(hands.asked("it").len(), 1);
    (hands, visit.call)
}

/// The end of the only turn, after which everything that was said of its call is refused.
fn ended(hands: &Hands, call: &str) -> (String, String) {
    let end = hands.follow(0).until(is_end);
    let again = hands.resolve(call, &json!({"how": "run"}));
    assert_eq!(again, Err(4), "it is resolved once");
    let events = hands.example.events();
    assert_eq!(about(&events, "tool.unknown", call), 1);
    assert_eq!(about(&events, "tool.resolved", call), 1);
    assert_eq!(ends(&events).len(), 1, "{end}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&end["kind"]), text(&end["data"]["text"]))
}

#[test]
fn what_happened_before_a_kill_is_told_by_a_person_and_not_done_again() {
    let (hands, call) = unknown();
    let resolved = hands.resolve(&call, &json!({"how": "happened", "result": "paid by hand"}));
    assert_eq!(resolved.expect("an answer")["how"], "happened");
    let (kind, text) = ended(&hands, &call);
    assert_eq!(
        (kind.as_str(), text.as_str()),
        ("turn.completed", "paid by hand")
    );
    assert_eq!(hands.asked("it").len(), 1);
}

#[test]
fn what_did_not_happen_before_a_kill_is_done_once_at_a_persons_word() {
    let (mut hands, call) = unknown();
    hands
        .resolve(&call, &json!({"how": "run"}))
        .expect("an answer");
    let (kind, text) = ended(&hands, &call);
    assert_eq!(
        (kind.as_str(), text.as_str()),
        ("turn.completed", "done it")
    );
    assert_eq!(hands.asked("it"), [call.clone(), call]);
    hands.kill();
    hands.start();
    assert_eq!(hands.asked("it").len(), 2);
}

#[test]
fn what_a_person_gives_up_is_not_done_and_its_turn_ends() {
    let (hands, call) = unknown();
    hands
        .resolve(&call, &json!({"how": "give_up"}))
        .expect("an answer");
    ended(&hands, &call);
    assert_eq!(hands.asked("it").len(), 1);
}

#[test]
fn a_kill_right_after_the_answer_of_the_module_asks_it_for_no_effect_again() {
    for _ in 0..5 {
        let mut hands = Hands::up();
        let desk = hands.desk();
        hands.send("payer", "pay it 0");
        desk.next().answer();
        hands.kill();
        drop(desk);
        hands.start();
        let event = hands.settled("payer", 0);
        let call = hands.asked("it").remove(0);
        if event["kind"] == "tool.unknown" {
            let happened = json!({"how": "happened", "result": "done it"});
            hands.resolve(&call, &happened).expect("an answer");
            hands.follow(0).until(is_end);
        }
        assert_eq!(
            ends(&hands.example.events()),
            [("turn.completed", "done it")]
        );
        assert_eq!(hands.asked("it"), [call]);
    }
}

#[test]
fn what_waits_for_a_decision_is_asked_once_and_done_once_whatever_is_killed() {
    let mut hands = Hands::up();
    hands.send("clerk", "pay it 0");
    hands.settled("clerk", 0);
    let first = hands.pending();
    for _ in 0..2 {
        hands.kill();
        hands.start();
        let again = hands.pending();
        assert_eq!(again, first);
    }
    assert!(hands.asked("it").is_empty(), "nobody has approved");
    let text = |name: &str| first[name].as_str().expect("a text").to_owned();
    let (id, digest, call) = (text("id"), text("digest"), text("call"));
    let desk = hands.desk();
    let approve = ["approve", &id, "--yes", "--digest", &digest];
    hands.client(&approve).expect("a decision");
    desk.next().answer();
    hands.follow(0).until(is_end);
    hands.kill();
    drop(desk);
    hands.start();
    assert_eq!(hands.client(&approve), Err(6), "it is decided once");
    let events = hands.example.events();
    let about = |kind| about(&events, kind, &call);
    let counts = ["approval.requested", "tool.started", "tool.finished"].map(about);
    assert_eq!(counts, [1, 1, 1]);
    assert_eq!(ends(&events), [("turn.completed", "done it")]);
    assert_eq!(hands.asked("it"), [call.as_str()]);
}

#[test]
fn a_kill_right_after_the_decision_makes_the_call_at_most_once() {
    for _ in 0..5 {
        let mut hands = Hands::up();
        hands.send("clerk", "pay it 0");
        hands.settled("clerk", 0);
        let first = hands.pending();
        let text = |name: &str| first[name].as_str().expect("a text").to_owned();
        let (id, digest, call) = (text("id"), text("digest"), text("call"));
        hands
            .client(&["approve", &id, "--yes", "--digest", &digest])
            .expect("a decision");
        hands.kill();
        hands.start();
        let ended = hands
            .follow(0)
            .until(|event| event["kind"] == "tool.unknown" || is_end(event));
        let events = hands.example.events();
        assert_eq!(about(&events, "approval.requested", &call), 1);
        assert!(hands.asked("it").len() <= 1, "{:?}", hands.asked("it"));
        if ended["kind"] == "turn.completed" {
            assert_eq!(hands.asked("it"), [call]);
        }
    }
}

/// Random numbers from a seed (splitmix64, by Sebastiano Vigna, public domain).
fn chance(state: &mut u64, bound: u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed ^ (mixed >> 31)) % bound
}

/// Brings the turns of a round to their ends and returns which calls nobody knew the outcome of.
fn bring_home(hands: &Hands, after: u64) -> BTreeSet<String> {
    let mut unknown = BTreeSet::new();
    let mut open = BTreeSet::from(["looker", "putter", "payer"]);
    let mut follow = hands.follow(after);
    while !open.is_empty() {
        let event = follow.next();
        let member = event["data"]["member"].as_str().unwrap_or_default();
        if is_end(&event) {
            open.remove(member);
        } else if event["kind"] == "tool.unknown" {
            let call = event["data"]["call"].as_str().expect("an id").to_owned();
            let happened = json!({"how": "happened", "result": "told"});
            hands.resolve(&call, &happened).expect("an answer");
            unknown.insert(call);
        }
    }
    unknown
}

#[test]
fn kills_at_random_moments_repeat_no_effect_and_lose_no_turn() {
    let mut state = 42;
    let mut hands = Hands::up();
    let mut unknown = BTreeSet::new();
    for round in 0..ROUNDS {
        let after = hands.example.events().len() as u64;
        let mut follow = hands.follow(after);
        for (member, tool) in [("looker", "look"), ("putter", "put"), ("payer", "pay")] {
            let work_ms = chance(&mut state, 40);
            hands.send(member, &format!("{tool} {tool}-{round} {work_ms}"));
        }
        // A round has about 25 events.
        for _ in 0..=chance(&mut state, 24) {
            follow.next();
        }
        for _ in 0..chance(&mut state, 2_000_000) {
            spin_loop();
        }
        hands.kill();
        hands.start();
        unknown.append(&mut bring_home(&hands, after));
    }
    let events = hands.example.events();
    let seqs = events.iter().map(|event| event["seq"].as_u64());
    assert!(seqs.eq((1..=events.len() as u64).map(Some)), "dense");
    let completed = ends(&events)
        .iter()
        .filter(|(kind, _)| *kind == "turn.completed")
        .count();
    assert_eq!(
        (completed as u64, ends(&events).len() as u64),
        (3 * ROUNDS, 3 * ROUNDS)
    );
    for round in 0..ROUNDS {
        for tool in ["look", "put"] {
            let asked = hands.asked(&format!("{tool}-{round}"));
            let ids: BTreeSet<&String> = asked.iter().collect();
            assert_eq!(ids.len(), 1, "{asked:?}");
        }
        let paid = hands.asked(&format!("pay-{round}"));
        assert!(paid.len() <= 1, "an effect was repeated: {paid:?}");
    }
    let mut paid: BTreeMap<String, u64> = BTreeMap::new();
    for event in events
        .iter()
        .filter(|e| e["data"]["tool"] == "module:hands/pay")
    {
        if event["kind"] == "tool.finished" {
            *paid.entry(event["data"]["call"].to_string()).or_default() += 1;
        }
    }
    assert!(paid.values().all(|times| *times == 1), "{paid:?}");
    assert_eq!((paid.len() + unknown.len()) as u64, ROUNDS);
}

/// How many processes carry the mark of these modules.
fn left(marks: &[Value]) -> usize {
    let marks: Vec<String> = marks
        .iter()
        .map(|mark| format!("MOBKIT_MODULE={}", mark.as_str().expect("a text")))
        .collect();
    let processes = std::fs::read_dir("/proc").expect("there is /proc");
    let carries = |entry: &std::fs::DirEntry| {
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        let mut entries = environment.split(|byte| *byte == 0);
        entries.any(|entry| marks.iter().any(|mark| mark.as_bytes() == entry))
    };
    processes.filter_map(Result::ok).filter(carries).count()
}

#[tokio::test]
async fn no_process_of_a_module_outlives_mobkit_however_it_ends() {
    let mut hands = Hands::up();
    let mut seen = 0;
    for orderly in [false, true, false] {
        hands.send("looker", "look it 0");
        hands.settled("looker", hands.example.events().len() as u64 - 1);
        let marks = hands.lines_of("marks.jsonl").split_off(seen);
        seen += marks.len();
        assert_eq!(left(&marks), 3, "the module and those that hide");
        if orderly {
            let (code, last) = hands.stop();
            assert_eq!(last["report"]["orphan_processes"], 0, "{last}");
            assert_eq!(code, Some(0), "{last}");
            assert_eq!(left(&marks), 0, "an orderly stop waits for them");
        } else {
            hands.kill();
        }
        let mut pause = tokio::time::interval(LOOK_PAUSE);
        for _ in 0..LOOKS_MAX {
            if left(&marks) == 0 {
                break;
            }
            pause.tick().await;
        }
        assert_eq!(left(&marks), 0, "processes outlived mobkit");
        hands.start();
    }
}
