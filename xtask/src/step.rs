//! Steps: other programs that a chore runs, one after the other, until one fails.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;

/// A program with its arguments, under a name that people read.
pub struct Step {
    /// What the step is called in the output.
    pub name: &'static str,
    /// The program and its arguments.
    pub line: &'static [&'static str],
}

/// What became of the steps: the names of those that passed, and of the one that stopped the run.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Steps that passed, in order.
    pub passed: Vec<&'static str>,
    /// The first step that failed. Nothing after it was started.
    pub failed: Option<&'static str>,
}

/// Runs the steps in `root` with our own standard streams, so that each program's output reaches
/// the terminal as it is. `own` does the steps that are functions of ours: it answers `None` for a
/// name it doesn't know.
///
/// Fails when a program can't be started at all.
pub fn run_all(
    root: &Path,
    steps: &[Step],
    own: impl Fn(&str) -> Option<anyhow::Result<bool>>,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome {
        passed: Vec::new(),
        failed: None,
    };
    for step in steps {
        eprintln!("\n== {}: {}", step.name, step.line.join(" "));
        let passed = match own(step.name) {
            Some(result) => result?,
            None => run_one(root, step.line)?,
        };
        if !passed {
            outcome.failed = Some(step.name);
            break;
        }
        outcome.passed.push(step.name);
    }
    Ok(outcome)
}

fn run_one(root: &Path, line: &[&str]) -> anyhow::Result<bool> {
    let (program, args) = line.split_first().context("a step without a program")?;
    let status = Command::new(program)
        .args(args)
        .current_dir(root)
        .status()
        .with_context(|| format!("`{program}` could not be started"))?;
    Ok(status.success())
}

/// Whether `cargo <subcommand>` exists here.
pub fn has_cargo_subcommand(subcommand: &str) -> bool {
    Command::new("cargo")
        .args([subcommand, "--version"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The output of a program that must succeed, as text.
pub fn output_of(root: &Path, line: &[&str]) -> anyhow::Result<String> {
    let (program, args) = line.split_first().context("a step without a program")?;
    let output = Command::new(program)
        .args(args)
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("`{program}` could not be started"))?;
    anyhow::ensure!(output.status.success(), "`{}` failed", line.join(" "));
    String::from_utf8(output.stdout).context("its output is not UTF-8")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Step, run_all};

    #[test]
    fn the_first_failure_stops_the_run() {
        let steps = [
            Step {
                name: "one",
                line: &[],
            },
            Step {
                name: "two",
                line: &[],
            },
            Step {
                name: "three",
                line: &[],
            },
        ];
        let outcome = run_all(Path::new("."), &steps, |name| Some(Ok(name != "two")))
            .expect("no program is started");
        assert_eq!(outcome.passed, ["one"]);
        assert_eq!(outcome.failed, Some("two"));
    }

    #[test]
    fn a_program_that_fails_is_a_failed_step() {
        let steps = [Step {
            name: "version",
            line: &["cargo", "--version"],
        }];
        let outcome = run_all(Path::new("."), &steps, |_| None).expect("cargo starts");
        assert_eq!(outcome.failed, None);
        let steps = [Step {
            name: "nothing",
            line: &["cargo", "there-is-no-such-command"],
        }];
        let outcome = run_all(Path::new("."), &steps, |_| None).expect("cargo starts");
        assert_eq!(outcome.failed, Some("nothing"));
    }
}
