//! What the mistakes of users look like, word for word.
//!
//! Each is to say what is wrong, where and why, and the next step, with a stable code and the exit
//! code of its class. A changed line is to be read before it is accepted:
//! `INSTA_UPDATE=always cargo nextest run -p mobkit-cli golden_errors`; then look at the changes.

use crate::chat;
use crate::fake::{Fake, Reply, problem};
use crate::program::{Place, Run};
use crate::running::{Example, Up};
use std::net::TcpListener;

/// All mistakes of one situation, and what was said of each.
#[derive(Default)]
struct Told {
    text: String,
    count: usize,
}

impl Told {
    fn add(&mut self, words: &[&str], run: &Run) {
        assert_ne!(run.code, 0, "no mistake at all: {words:?} {run:?}");
        assert!(run.stderr.contains("error"), "{words:?} {run:?}");
        self.count += 1;
        let line = words.join(" ").replace('\n', "\\n");
        let part = format!(
            "$ mobkit {line}\n{}{}[{}]\n\n",
            run.stdout, run.stderr, run.code
        );
        self.text.push_str(&part);
    }

    /// Compares with what was said before, without what differs from run to run.
    fn check(self, name: &str, count: usize, folders: &[&str]) {
        assert!(self.count >= count, "{} mistakes", self.count);
        let mut text = self.text;
        for folder in folders {
            text = text.replace(folder, "FOLDER");
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        for (pattern, shown) in [
            (r"127\.0\.0\.1:\d{4,5}", "127.0.0.1:PORT"),
            (r"process \d+", "process PID"),
            (r"pid \d+", "pid PID"),
            (r"sha256:[0-9a-f]{16,}", "sha256:DIGEST"),
            (r"key [0-9a-f]{32}", "key KEY"),
            (r"--key [0-9a-f]{32}", "--key KEY"),
            (r"in \d+[ms]\w*( \d+s)?", "in TIME"),
            (r"\d+s ago", "TIME ago"),
            (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
        ] {
            settings.add_filter(pattern, shown);
        }
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
}

const BROKEN: &str = r#"
[mob]
id = "Newsroom"
descripton = "a slip of the keyboard"
[models.main]
provider = "openai"
model = "gpt-5.6"
api_key = "sk-live-0123456789abcdef"
[profiles.writer]
model = "mian"
instructions = "You write."
tools = ["peers", "module:mail/send"]
[[members]]
id = "writer"
profile = "writer"
[[members]]
id = "writer"
profile = "riter"
[wiring]
edges = [["writer", "writer"], ["writer", "nobody"]]
[[schedules]]
id = "daily"
cron = "0 25 * * *"
to = "member:writer"
message = "go"
"#;

const NEEDS_KEY: &str = r#"
[mob]
id = "m"
[models.main]
provider = "openai"
model = "gpt-5.6"
api_key = { env = "NO_SUCH_KEY" }
[profiles.writer]
model = "main"
instructions = "You write."
[[members]]
id = "writer"
profile = "writer"
"#;

#[test]
fn mistakes_without_a_server() {
    let place = Place::empty();
    place.write("mob.toml", NEEDS_KEY);
    place.write("notes.tar", "no tar");
    for (folder, text) in [
        ("broken", BROKEN),
        ("syntax", "[mob\nid = 1"),
        ("empty", ""),
    ] {
        std::fs::create_dir(place.path().join(folder)).expect("a folder");
        place.write(&format!("{folder}/mob.toml"), text);
    }
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = taken.local_addr().expect("bound").to_string();
    let mut told = Told::default();
    for words in [
        &["sned", "writer", "hello"][..],
        &["send"],
        &["ps", "--lable", "a=b"],
        &["status", "--timeout", "5 weeks"],
        &["completion", "tcsh"],
        &["init", ".", "--template", "helo"],
        &["init", "."],
        &["check", "nowhere"],
        &["check", "broken"],
        &["check", "syntax"],
        &["check", "empty"],
        &["up", "nowhere"],
        &["up", "syntax"],
        &["up", "--listen", "127.0.0.1:0"],
        &["up", "--rehearse", "--listen", "0.0.0.0:7373"],
        &["up", "--rehearse", "--listen", &taken],
        &["up", "--rehearse", "--listen", "7373"],
        &["doctor"],
        &["status"],
        &["ps", "--state", "elsewhere"],
        &["status", "--url", "http://127.0.0.1:1"],
        &["status", "--url", "ftp://example.org"],
        &["status", "--url", "127.0.0.1:1", "--token", "two words"],
        &["schedule", "next", "--cron", "61 * * * *"],
        &[
            "schedule",
            "next",
            "--cron",
            "0 9 * * *",
            "--tz",
            "Europe/Pari",
        ],
        &["config", "get", "models.main.providr"],
        &["explain", "membr.not_found"],
        &["export", "mob.tar", "--state", "elsewhere"],
        &["export", "notes.tar"],
        &["import", "mob.tar", "--state", "elsewhere"],
        &["import", "notes.tar", "--state", "elsewhere"],
    ] {
        told.add(words, &place.run(words));
    }
    let folder = place.path().display().to_string();
    told.check("mistakes_without_a_server", 30, &[&folder]);
}

#[test]
fn servers_that_are_strange_old_or_gone() {
    let mut told = Told::default();
    let strange = Fake::start(|_| Reply::Text(200, "text/html", "<h1>hello</h1>".to_owned()));
    told.add(&["ps", "(a web page)"], &Place::of(&strange).run(&["ps"]));
    let proxy = Fake::start(|_| Reply::Text(502, "text/html", "bad gateway".to_owned()));
    told.add(
        &["ps", "(a proxy)"],
        &Place::of(&proxy).run(&["ps", "--timeout", "0"]),
    );
    let old = Fake::start(|_| {
        problem(
            404,
            "missing",
            "operation.not_found",
            "there is no operation task/list",
        )
    });
    told.add(
        &["tasks", "(an old server)"],
        &Place::of(&old).run(&["tasks"]),
    );
    let denied = Fake::start(|_| {
        problem(
            403,
            "denied",
            "access.denied",
            "a viewer may not pause members",
        )
    });
    told.add(
        &["pause", "x", "(a viewer)"],
        &Place::of(&denied).run(&["pause", "x"]),
    );
    let silent = Fake::start(|_| Reply::Vanish);
    let run = Place::of(&silent).run(&["ps", "--timeout", "0"]);
    told.add(&["ps", "(hangs up)"], &run);
    let gone = Place::empty();
    std::fs::create_dir(gone.path().join(".mobkit")).expect("a folder");
    gone.write(
        ".mobkit/server.json",
        r#"{"pid": 4194304, "url": "http://127.0.0.1:1/", "started": ""}"#,
    );
    told.add(&["ps", "(killed)"], &gone.run(&["ps"]));
    told.check("servers_that_are_strange_old_or_gone", 6, &[]);
}

#[test]
fn mistakes_with_a_server() {
    let (example, up) = chat::running();
    let asked = example.run(&["send", "writer", "show it", "--wait"]);
    assert_eq!(asked.code, 8, "{asked:?}");
    let sent = example.run(&["send", "critic", "one", "--key", "k1", "--wait"]);
    assert_eq!(sent.code, 0, "{sent:?}");
    let mut told = Told::default();
    let approval = asked
        .stderr
        .split_whitespace()
        .find(|word| word.starts_with("apr-"));
    let approval = approval.expect("an id");
    for words in [
        &["send", "writr", "hello"][..],
        &["send", "critic"],
        &["send", "critic", " "],
        &["send", "critic", "--file", "nowhere.txt"],
        &["send", "critic", "two", "--key", "k1"],
        &[
            "send",
            "critic",
            "think",
            "--key",
            "k2",
            "--wait",
            "--timeout",
            "100ms",
        ],
        &["chat", "crytic"],
        &["chat"],
        &["ps", "--token", "wrong"],
        &["pause", "nobody"],
        &["resume", "nobody"],
        &["approvals", "show", "apr-999999"],
        &["approve", "apr-999999", "--yes"],
        &["approve", approval],
        &["approve", approval, "--yes"],
        &["approve", approval, "--yes", "--digest", "sha256:0"],
        &["deny", approval],
        &["deny", approval, "-m", " ", "--yes"],
        &["grants", "revoke", "grt-9"],
        &["modules", "show", "mail"],
        &["modules", "call", "mail", "send", "n=1"],
        &["modules", "restart", "mail"],
        &["logs", "engine:meercat"],
        &["schedule", "show", "daily"],
        &["schedule", "pause", "daily"],
        &["schedule", "put", "nowhere.toml"],
        &["deliveries", "show", "dlv-9"],
        &["deliveries", "replay", "dlv-9"],
        &["deliveries", "send", "ops", "hello"],
        &["routes", "resolve", "ops"],
        &["routes", "enable", "ops"],
        &["events", "--after", "999999"],
        &["events", "--kinds", "turn.complet"],
        &["events", "--source", "robot"],
        &["rpc", "member/lst"],
        &["rpc", "member/get", "{member: writer}"],
        &["rpc", "member/get", r#"{"membr": "writer"}"#],
        &["rpc", "mob/status", r#"{"mob": "other"}"#],
    ] {
        told.add(words, &example.run(words));
    }
    let folders = second_starts(&mut told, &example, up);
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    told.check("mistakes_with_a_server", 39, &folders);
}

/// Starts what runs already, and another mob on the same state. Returns the folders of both.
fn second_starts(told: &mut Told, example: &Example, up: Up) -> [String; 2] {
    let mob = example.mob().display().to_string();
    let words = ["up", "--rehearse", &mob, "--listen", "127.0.0.1:0"];
    told.add(&["up", "(a second one)"], &example.run(&words));
    up.kill();
    let other = Example::written(&[("mob.toml", NEEDS_KEY)]);
    let mob = other.mob().display().to_string();
    let words = ["up", "--rehearse", &mob, "--listen", "127.0.0.1:0"];
    told.add(&["up", "(another mob)"], &example.run(&words));
    let state = example.state();
    let folder = state.parent().expect("a folder").display().to_string();
    [mob, folder]
}
