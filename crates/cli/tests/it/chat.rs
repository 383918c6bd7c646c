//! `mobkit chat`: lines through a pipe, and a person at a terminal.

use crate::running::{Example, Up};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::Child;

const MOB: &str = r#"
[mob]
id = "desk"
[models.main]
provider = "rehearsal"
script = "rehearsal.toml"
[profiles.writer]
model = "main"
instructions = "You write."
tools = ["peers"]
[[members]]
id = "writer"
profile = "writer"
[[members]]
id = "critic"
profile = "writer"
[wiring]
edges = [["writer", "critic"]]
[[gates]]
tool = "ask_peer"
action = "review"
"#;

const SCRIPT: &str = r#"
[[rules]]
when = { text = "^think$" }
delay = "9m"
say = "thought"
[[rules]]
when = { member = "critic" }
say = "too long"
[[rules]]
when = { text = "^show (?<what>.*)$", step = 1 }
call = [{ tool = "ask_peer", args = { to = "critic", content = "{{ what }}" } }]
[[rules]]
when = { tool = "ask_peer" }
say = "The critic says: {{ result }}"
"#;

pub(crate) fn running() -> (Example, Up) {
    let example = Example::written(&[("mob.toml", MOB), ("rehearsal.toml", SCRIPT)]);
    let mut up = example.up();
    up.document();
    (example, up)
}

/// Somebody at a terminal.
struct Person {
    child: Child,
    terminal: File,
    seen: String,
}

impl Person {
    fn start(example: &Example, words: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("a terminal");
        unlockpt(&master).expect("a terminal");
        let name = ptsname(&master, Vec::new()).expect("a name");
        let name = name.into_string().expect("a path of text");
        let open = || {
            let slave = OpenOptions::new().read(true).write(true).open(&name);
            slave.expect("the other end")
        };
        let mut command = example.command(words);
        command.stdin(open()).stdout(open()).stderr(open());
        let child = command.spawn().expect("the binary starts");
        Self {
            child,
            terminal: File::from(master),
            seen: String::new(),
        }
    }

    /// Waits until the terminal shows this, after what was waited for before.
    fn sees(&mut self, text: &str) {
        let mut piece = [0; 4096];
        while !self.seen.contains(text) {
            let length = self.terminal.read(&mut piece).unwrap_or(0);
            assert_ne!(length, 0, "{text:?} is not in {}", self.seen);
            self.seen
                .push_str(&String::from_utf8_lossy(&piece[..length]));
        }
        let end = self.seen.find(text).expect("it was just seen") + text.len();
        self.seen.drain(..end);
    }

    fn types(&mut self, text: &str) {
        self.terminal
            .write_all(text.as_bytes())
            .expect("a terminal");
    }

    fn interrupts(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("it runs");
    }

    fn ends(&mut self) -> Option<i32> {
        self.child.wait().expect("it is a child").code()
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a chat whose input is this.
fn piped(example: &Example, words: &[&str], input: &str) -> crate::program::Run {
    let file = example.state().with_file_name("lines.txt");
    std::fs::write(&file, input).expect("a file");
    let mut command = example.command(words);
    crate::program::finish(command.stdin(File::open(&file).expect("a file")))
}

#[test]
fn each_line_of_a_pipe_is_a_message_and_its_answer_a_line() {
    let (example, _up) = running();
    let run = piped(&example, &["chat", "critic"], "one\n\n  \ntwo\n/help");
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "too long\ntoo long\ntoo long\n")
    );
    let run = piped(&example, &["chat", "critic", "--json"], "one\ntwo\n");
    let said: Vec<_> = run.documents().iter().map(|d| d["text"].clone()).collect();
    assert_eq!(said, [json!("too long"), json!("too long")], "{run:?}");
    // What waits for a person holds up the rest, and says so.
    let run = piped(&example, &["chat", "writer"], "show it\nmore\n");
    assert_eq!(run.code, 8, "{run:?}");
    assert!(
        run.stderr.contains("approve: mobkit approve apr-"),
        "{run:?}"
    );
    assert!(run.stderr.contains("nothing more is sent"), "{run:?}");
    let run = piped(&example, &["chat"], "");
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("name one: critic, writer"), "{run:?}");
    let run = piped(&example, &["chat", "writr"], "");
    assert_eq!(run.code, 4, "{run:?}");
}

#[test]
fn a_person_talks_decides_stops_a_turn_and_leaves() {
    let (example, up) = running();
    let mut person = Person::start(&example, &["chat", "writer"]);
    person.sees("talking with writer");
    person.sees("you>");
    person.types("show the draft\n");
    person.sees("approve it?");
    person.types("y\n");
    person.sees("ask_peer");
    person.sees("The critic says: too long");
    person.sees("you>");
    person.types("show another\n");
    person.sees("approve it?");
    person.types("n\n");
    person.sees("why not?");
    person.types("not today\n");
    person.sees("not today");
    person.sees("you>");
    person.types("/nothing\n");
    person.sees("there is no /nothing");
    person.sees("you>");
    person.types("think\n");
    person.sees("think");
    // Once the turn runs it is stopped, and the conversation goes on.
    let words = [
        "events",
        "--json",
        "-f",
        "--kinds",
        "message.delivered",
        "--subject",
        "member/writer",
    ];
    let mut watch = example
        .command(&words)
        .stdout(std::process::Stdio::piped())
        .spawn();
    let watch = watch.as_mut().expect("the binary starts");
    let lines = std::io::BufReader::new(watch.stdout.take().expect("a pipe"));
    let delivered = std::io::BufRead::lines(lines).take(3).count();
    assert_eq!(delivered, 3, "one for each that was typed");
    watch.kill().expect("it runs");
    watch.wait().expect("it is a child");
    person.interrupts();
    person.sees("stopping the turn");
    person.sees("turn.cancelled");
    person.sees("you>");
    person.types("/history 1\n");
    person.sees("think");
    person.sees("you>");
    person.interrupts();
    assert_eq!(person.ends(), Some(130));
    let mut again = Person::start(&example, &["chat", "writer"]);
    again.sees("The critic says: too long");
    again.sees("you>");
    again.types("\u{4}");
    assert_eq!(again.ends(), Some(0));
    let _report = up.interrupt();
}
