//! A mob with Meerkat members under SIGKILL: the runtime, mobkit, or both, at random moments.
//!
//! `cargo xtask meerkat` runs the same test with more turns, against the runtime itself.

use crate::running::{Example, Up};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::hint::spin_loop;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// Members whose turns the runtime runs.
const MEMBERS: [&str; 2] = ["ada", "bob"];
/// How often it is looked whether the mob has moved on, and the pause between.
const LOOKS_MAX: u32 = 2_000;
const LOOK_PAUSE: Duration = Duration::from_millis(50);
/// How many messages wait for an answer, and how many events pass before a kill.
const OPEN_MAX: usize = 4;
const EVENTS_PASSED_MAX: u64 = 10;
/// Turns that were interrupted so often without getting on may be given up at the next time.
const RECOVERIES_SAFE_MAX: u64 = 1;

/// Random numbers from a seed (splitmix64, by Sebastiano Vigna, public domain).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the chore names the runtime, and asks for more turns or for a seed"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn asked(name: &str, otherwise: u64) -> u64 {
    let value = variable(name);
    value.map_or(otherwise, |value| value.parse().expect("a number"))
}

fn suite() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../mobkit/tests/it/meerkat")
}

/// The model's server; it outlives every life of the mob, and ends with this.
struct Model {
    process: Child,
    _stdin: Option<std::process::ChildStdin>,
    url: String,
}

impl Model {
    fn start() -> Self {
        let script = suite().join("../../../../../examples/meerkat/model.py");
        let mut command = Command::new("python3");
        command
            .arg(script)
            .arg(suite().join("rules.toml"))
            .args(["--port", "0"]);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = piped.spawn().expect("python3 is there");
        let stdin = process.stdin.take();
        let mut url = String::new();
        let stdout: ChildStdout = process.stdout.take().expect("a pipe");
        BufReader::new(stdout)
            .read_line(&mut url)
            .expect("it says where it is");
        let url = url.trim().to_owned();
        Self {
            process,
            _stdin: stdin,
            url,
        }
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn mob(model: &str) -> String {
    let stand_in = format!("python3 {}", suite().join("stand_in.py").display());
    let command = variable("MOBKIT_TEST_MEERKAT").unwrap_or(stand_in);
    let command: Vec<&str> = command.split_whitespace().collect();
    format!(
        r#"
        [mob]
        id = "test"
        [engines.meerkat]
        command = {command:?}
        [models.main]
        provider = "openai-compatible"
        base_url = "{model}"
        model = "rules"
        [profiles.outside]
        engine = "meerkat"
        model = "main"
        instructions = "You are outside."
        tools = ["module:till/pay"]
        [[members]]
        id = "ada"
        profile = "outside"
        [[members]]
        id = "bob"
        profile = "outside"
        [[modules]]
        id = "till"
        transport = "json-lines"
        command = ["python3", "till.py"]
        restart = {{ policy = "always", intensity = 1000, period = "1m", backoff = ["50ms", "200ms"] }}
        "#
    )
}

/// A module whose tool may be called again with the same call.
const TILL: &str = r#"
import json, sys
tools = [{"name": "pay", "description": "Pays.", "effect": "idempotent",
          "schema": {"type": "object", "properties": {"to": {"type": "string"}}}}]
for line in sys.stdin:
    asked = json.loads(line)
    result = {"tools": tools} if "list" in asked else f"paid {asked['args']['to']}" if "tool" in asked else True
    print(json.dumps({"id": asked["id"], "result": result}), flush=True)
"#;

/// Starts the mob, and waits until it takes messages.
fn begin(example: &Example) -> Up {
    let mut up = example.up_for_real();
    up.document();
    up
}

fn kill(pid: u64) {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .expect("a process");
    // It may have ended by itself in this instant.
    let _ = kill_process(pid, Signal::KILL);
}

/// What the journal says so far.
#[derive(Default)]
struct Known {
    ended: BTreeMap<String, String>,
    runtime: Option<u64>,
    recoveries: u64,
}

fn known(events: &[Value]) -> Known {
    let mut known = Known::default();
    let mut open: BTreeMap<String, u64> = BTreeMap::new();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for event in events {
        let data = &event["data"];
        match event["kind"].as_str().unwrap_or_default() {
            "engine.started" => known.runtime = data["pid"].as_u64(),
            "engine.stopped" | "runtime.started" => known.runtime = None,
            "turn.resumed" => {
                open.insert(
                    text(&data["turn"]),
                    data["recoveries"].as_u64().unwrap_or(0),
                );
            }
            "model.replied" | "tool.finished" => {
                open.remove(&text(&data["turn"]));
            }
            "turn.completed" => {
                open.remove(&text(&data["turn"]));
                for message in data["messages"].as_array().into_iter().flatten() {
                    let before = known.ended.insert(text(message), text(&data["text"]));
                    assert_eq!(before, None, "answered twice: {event}");
                }
            }
            _ => {}
        }
    }
    known.recoveries = open.values().copied().max().unwrap_or(0);
    known
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_when_either_dies() {
    let (turns, seed) = (asked("MOBKIT_TEST_TURNS", 12), asked("MOBKIT_TEST_SEED", 1));
    eprintln!("{turns} turns, seed {seed}");
    let model = Model::start();
    let example = Example::written(&[("mob.toml", &mob(&model.url)), ("till.py", TILL)]);
    let mut chance = Chance(seed);
    let mut up = begin(&example);
    let (mut sent, mut strikes) = (Vec::new(), 0);
    for turn in 0..turns {
        let member = MEMBERS[usize::try_from(turn).expect("few") % MEMBERS.len()];
        let word = ["hello", "buy eve", "wait"][usize::try_from(chance.below(3)).expect("few")];
        let key = format!("turn-{turn}");
        // One that joins a running turn may take the last word from a call that is just made.
        let steers = word != "buy eve" && chance.below(3) == 0;
        let mode = if steers { "steer" } else { "queue" };
        let params = json!({"to": member, "content": word, "mode": mode, "key": key});
        let run = example.run(&["rpc", "member/send", &params.to_string()]);
        assert_eq!(run.code, 0, "{run:?}");
        let message = run.document()["message"]
            .as_str()
            .expect("an id")
            .to_owned();
        sent.push((word, message));
        let open = |events: &[Value]| sent.len() - known(events).ended.len();
        let head = wait(&example, |events| open(events) < OPEN_MAX).await.len();
        if chance.below(3) == 0 {
            // Anywhere in what the turns of these messages do.
            let events = usize::try_from(chance.below(EVENTS_PASSED_MAX)).expect("few");
            wait(&example, |now| now.len() >= head + events || open(now) == 0).await;
            strikes += u64::from(strike(&example, &mut up, &mut chance));
        }
    }
    let events = wait(&example, |events| known(events).ended.len() == sent.len()).await;
    check(&events, &sent);
    assert!(strikes > 0, "nothing was killed");
    eprintln!("{} events, {strikes} strikes", events.len());
    let (code, last) = up.interrupt();
    assert_eq!(code, Some(0), "{last}");
}

/// Kills the runtime, mobkit, or both; `false` where a turn might have had enough.
fn strike(example: &Example, up: &mut Up, chance: &mut Chance) -> bool {
    for _ in 0..chance.below(3_000_000) {
        spin_loop();
    }
    let known = known(&example.events());
    if known.recoveries > RECOVERIES_SAFE_MAX {
        return false;
    }
    let which = chance.below(3);
    if which != 1
        && let Some(pid) = known.runtime
    {
        kill(pid);
    }
    if which != 0 {
        up.kill_now();
        *up = begin(example);
    }
    true
}

/// Reads the journal until it is as it is wanted.
async fn wait(example: &Example, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let mut pause = tokio::time::interval(LOOK_PAUSE);
    for _ in 0..LOOKS_MAX {
        pause.tick().await;
        let events = example.events();
        if is_so(&events) {
            return events;
        }
    }
    panic!("nothing moves: {:?}", example.events().last());
}

/// Checks the answer of a turn to the last of its messages. The count goes on over every kill: the
/// session was kept, and nothing stands in it twice. `None`: the member goes on with a copy of its
/// session, whose count nobody knows before its first answer.
fn check_turn(turn: &Value, words: &BTreeMap<&str, &str>, count: &mut Option<u64>) {
    let messages = turn["messages"].as_array().expect("messages");
    let number = u64::try_from(messages.len()).expect("few");
    *count = count.map(|count| count + number);
    let last = messages.last().and_then(Value::as_str);
    let word = words[last.expect("a message")];
    let text = turn["text"].as_str().expect("a text");
    let said = text.rsplit("\n\n").next().unwrap_or_default();
    if messages.len() == 1 {
        assert_eq!(said, text, "{turn}");
    }
    if word == "buy eve" {
        assert_eq!(said, "told: paid eve", "{turn}");
        return;
    }
    let (counted, of) = said.split_once(": ").expect("a count");
    assert_eq!(of, word, "{turn}");
    let counted = counted.parse::<u64>().expect("a count");
    assert_eq!(counted, count.unwrap_or(counted), "{turn}");
    *count = Some(counted);
}

fn check(events: &[Value], sent: &[(&str, String)]) {
    let words = sent.iter().map(|(word, id)| (id.as_str(), *word)).collect();
    let mut count: BTreeMap<&str, Option<u64>> = BTreeMap::new();
    let mut steps = BTreeSet::new();
    let mut calls = BTreeSet::new();
    for event in events {
        let data = &event["data"];
        match event["kind"].as_str().unwrap_or_default() {
            "turn.completed" => {
                let of = data["member"].as_str().expect("a member");
                check_turn(data, &words, count.entry(of).or_insert(Some(0)));
            }
            "engine.gap" => {
                let how = data["reconciled"].as_str().unwrap_or_default();
                if let (Some(of), true) = (data["member"].as_str(), how.contains("a copy")) {
                    eprintln!("{event}");
                    count.insert(of, None);
                }
            }
            "model.replied" => {
                let step = (data["turn"].to_string(), data["step"].to_string());
                assert!(steps.insert(step), "recorded twice: {event}");
            }
            "tool.finished" => {
                assert!(
                    calls.insert(data["call"].to_string()),
                    "finished twice: {event}"
                );
            }
            "turn.failed" | "member.failed" | "member.quarantined" | "tool.unknown" => {
                panic!("{event}");
            }
            _ => {}
        }
    }
    let paid = sent.iter().filter(|(word, _)| *word == "buy eve").count();
    assert_eq!(calls.len(), paid, "each call was made for one message");
}
