//! Calls and attributes that the house doesn't have, wherever the compiler looks or doesn't look.

use super::finding::Finding;
use super::rust::Source;
use super::tree::{File, Tree};

/// A piece of code that may stand in some places only.
struct Ban {
    code: &'static str,
    /// Files, or folders when they end with `/`, in which it may stand.
    only: &'static [&'static str],
    in_tests: bool,
    message: &'static str,
}

const BANS: [Ban; 15] = [
    everywhere(
        "#[ignore",
        "a test runs by default; make it quick, or make it an xtask",
    ),
    everywhere(
        "#[allow(",
        "use `#[expect(…, reason = \"…\")]`, which goes when it is not needed",
    ),
    everywhere(
        "#![allow(",
        "use `#![expect(…, reason = \"…\")]`, which goes when it is not needed",
    ),
    everywhere(
        "todo!",
        "write the code, or refuse with an error that says so",
    ),
    everywhere(
        "unimplemented!",
        "write the code, or refuse with an error that says so",
    ),
    everywhere("dbg!", "remove it, or make it a trace event"),
    everywhere(
        "thread::sleep",
        "wait for the event itself, or for a timer of the clock",
    ),
    task("tokio::spawn"),
    task("task::spawn"),
    task("task::spawn_blocking"),
    task("task::spawn_local"),
    product("unbounded_channel", &[], "every channel has a named bound"),
    product(
        "process::Command",
        &["crates/modules/", "xtask/", "bench/"],
        "modules alone has child processes; hand it an effect",
    ),
    product(
        "unsafe_code",
        &["crates/modules/src/process/before_exec.rs"],
        "what a child does before exec is the only `unsafe` of the product; ask a library",
    ),
    product(
        "clippy::disallowed_methods",
        MARKED,
        "a banned call needs a place in xtask/src/tidy/calls.rs; take what it gives as an argument",
    ),
];

/// Where a call that `clippy.toml` bans may be marked as expected, each for a reason of its own.
const MARKED: &[&str] = &[
    // The owner of all tasks, and the clock.
    "crates/engine/src/tasks.rs",
    "crates/engine/src/clock.rs",
    // The name by which processes of modules are known.
    "crates/modules/src/process/mark.rs",
    // The edge that reads the environment, the clock and the operating system's chance.
    "crates/cli/src/",
    // Not in the product.
    "xtask/",
    "bench/",
    "sim/",
    "fuzz/",
];

const fn everywhere(code: &'static str, message: &'static str) -> Ban {
    Ban {
        code,
        only: &[],
        in_tests: true,
        message,
    }
}

const fn product(code: &'static str, only: &'static [&'static str], message: &'static str) -> Ban {
    Ban {
        code,
        only,
        in_tests: false,
        message,
    }
}

const fn task(code: &'static str) -> Ban {
    let message = "a task needs an owner; start it through engine/src/tasks.rs";
    product(code, &["crates/engine/src/tasks.rs", "bench/"], message)
}

const RULE: &str = "calls";

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.rust() {
        let paused = all_paused(source);
        for (at, line) in source.code.iter().enumerate() {
            let in_test = file.is_test() || source.in_tests[at];
            for ban in BANS
                .iter()
                .filter(|ban| ban.forbids(file, in_test) && has(line, ban.code))
            {
                let message = format!("`{}`: {}", ban.code, ban.message);
                findings.push(Finding::new(&file.path, at + 1, RULE, message));
            }
            if line.contains("cfg_attr(") && (line.contains("ignore") || line.contains("allow(")) {
                let message = "a conditional `ignore` or `allow`: neither exists here";
                findings.push(Finding::new(&file.path, at + 1, RULE, message));
            }
            if in_test && !paused && sleeps(line) {
                let message =
                    "a test that sleeps in real time: start it with `start_paused = true`";
                findings.push(Finding::new(&file.path, at + 1, RULE, message));
            }
        }
    }
    findings
}

impl Ban {
    fn forbids(&self, file: &File, in_test: bool) -> bool {
        let placed = |place: &&str| {
            if place.ends_with('/') {
                file.path.starts_with(*place)
            } else {
                file.path == **place
            }
        };
        (self.in_tests || !in_test) && !self.only.iter().any(placed)
    }
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `code` stands in the line as whole words.
fn has(line: &str, code: &str) -> bool {
    line.match_indices(code).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + code.len()..].chars().next();
        let cut_before = code.starts_with(in_word) && before.is_some_and(in_word);
        let cut_after = code.ends_with(in_word) && after.is_some_and(in_word);
        !cut_before && !cut_after
    })
}

/// A call of a function that waits; a method of that name is a clock's.
fn sleeps(line: &str) -> bool {
    ["sleep(", "sleep_until("].iter().any(|call| {
        line.match_indices(call).any(|(at, _)| {
            let before = &line[..at];
            !before.ends_with(|c| in_word(c) || c == '.') && !before.ends_with("fn ")
        })
    })
}

/// Whether every asynchronous test of the file has virtual time.
fn all_paused(source: &Source) -> bool {
    let tests = || {
        source
            .code
            .iter()
            .filter(|line| line.contains("tokio::test"))
    };
    tests().next().is_some() && tests().all(|line| line.contains("start_paused"))
}
