//! The chores of the house: `cargo xtask <command>`.
//!
//! Duty: one place for what people and CI run. A new command is a file beside this one with a
//! `run(root, args)`, and one line in [`COMMANDS`].

mod bench;
mod docs;
mod kill;
mod local_model;
mod meerkat;
mod sim;
mod step;
mod strangers;
mod test;
mod tidy;

use std::path::Path;
use std::process::ExitCode;

/// One chore: how it is called, what it does, and the function that does it.
struct Command {
    name: &'static str,
    what: &'static str,
    /// `Ok(false)` says that the chore ran and found something wrong, which it has printed.
    run: fn(root: &Path, args: &[String]) -> anyhow::Result<bool>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        what: "format, house rules, lints, doc tests, tests: what the README runs",
        run: test::test,
    },
    Command {
        name: "ci",
        what: "the same, and cargo-deny where it is installed",
        run: test::ci,
    },
    Command {
        name: "tidy",
        what: "only the house rules: crate graph, sizes, names, banned calls, licences",
        run: tidy::run,
    },
    Command {
        name: "strangers",
        what: "installs the MCP servers of others that the tests call (`test` does it too)",
        run: strangers::run,
    },
    Command {
        name: "kill-test",
        what: "the newsroom while it is killed at random (--kills 50 --seed 1)",
        run: kill::run,
    },
    Command {
        name: "local-model",
        what: "the newsroom on a real small model that runs on this machine",
        run: local_model::run,
    },
    Command {
        name: "meerkat",
        what: "installs the Meerkat runtime, and runs the tests of its engine against it",
        run: meerkat::run,
    },
    Command {
        name: "docs",
        what: "writes docs/reference anew, of what the program says of itself",
        run: docs::run,
    },
    Command {
        name: "sim",
        what: "the whole server from seeds (--seeds 1000 --from 0, or --seed N)",
        run: sim::run,
    },
    Command {
        name: "bench",
        what: "the measured figures, in release; --help lists what can be said",
        run: bench::run,
    },
];

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a folder of the workspace");
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = args.split_first() else {
        print!("{}", overview());
        return ExitCode::SUCCESS;
    };
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprint!("xtask: there is no command `{name}`\n\n{}", overview());
        return ExitCode::from(2);
    };
    match (command.run)(root, rest) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask {name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn overview() -> String {
    let mut text = String::from("cargo xtask <command>\n\n");
    for command in COMMANDS {
        text.push_str("  ");
        text.push_str(command.name);
        text.push_str(&" ".repeat(12_usize.saturating_sub(command.name.len())));
        text.push_str(command.what);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS, overview};

    #[test]
    fn the_overview_has_one_line_per_command() {
        let text = overview();
        for command in COMMANDS {
            let lines = text
                .lines()
                .filter(|line| line.trim().starts_with(command.name));
            assert_eq!(lines.count(), 1, "{}", command.name);
        }
    }
}
