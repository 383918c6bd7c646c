//! `cargo xtask test` and `cargo xtask ci`.

use std::path::Path;

use crate::step::{self, Step};
use crate::{strangers, tidy};

const FORMAT: Step = Step {
    name: "format",
    line: &["cargo", "fmt", "--all", "--check"],
};
const TIDY: Step = Step {
    name: "tidy",
    line: &["cargo", "xtask", "tidy"],
};
/// Servers of others, fetched once; early, so that a missing network is told at once.
const STRANGERS: Step = Step {
    name: "strangers",
    line: &["cargo", "xtask", "strangers"],
};
const LINTS: Step = Step {
    name: "lints",
    line: &[
        "cargo",
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ],
};
const DOC_TESTS: Step = Step {
    name: "doc tests",
    line: &["cargo", "test", "--doc", "--workspace", "--locked"],
};
const TESTS: Step = Step {
    name: "tests",
    line: &["cargo", "nextest", "run", "--workspace", "--locked"],
};
/// Where nextest isn't installed. Doc tests have their own step.
const TESTS_PLAIN: Step = Step {
    name: "tests",
    line: &[
        "cargo",
        "test",
        "--workspace",
        "--locked",
        "--lib",
        "--bins",
        "--tests",
        "--examples",
    ],
};
const DENY: Step = Step {
    name: "deny",
    line: &["cargo", "deny", "check"],
};

/// Everything that must hold on any machine, quick checks first, the test runner last so that its
/// closing line stands at the end.
pub fn test(root: &Path, args: &[String]) -> anyhow::Result<bool> {
    anyhow::ensure!(
        args.is_empty(),
        "takes no arguments; for some tests use `cargo nextest run`"
    );
    run(root, &steps(step::has_cargo_subcommand("nextest"), false))
}

/// [`test`], and cargo-deny where it is installed.
pub fn ci(root: &Path, args: &[String]) -> anyhow::Result<bool> {
    anyhow::ensure!(args.is_empty(), "takes no arguments");
    let deny = step::has_cargo_subcommand("deny");
    if !deny {
        eprintln!(
            "cargo-deny is not installed, so advisories are not checked; \
             `cargo install --locked cargo-deny` adds them (tidy checks the rest)"
        );
    }
    run(root, &steps(step::has_cargo_subcommand("nextest"), deny))
}

fn steps(nextest: bool, deny: bool) -> Vec<Step> {
    let mut steps = vec![FORMAT, TIDY, STRANGERS];
    if deny {
        steps.push(DENY);
    }
    steps.extend([LINTS, DOC_TESTS]);
    steps.push(if nextest { TESTS } else { TESTS_PLAIN });
    steps
}

fn run(root: &Path, steps: &[Step]) -> anyhow::Result<bool> {
    let outcome = step::run_all(root, steps, |name| match name {
        name if name == TIDY.name => Some(tidy::run(root, &[])),
        name if name == STRANGERS.name => Some(strangers::run(root, &[])),
        _ => None,
    })?;
    let passed = if outcome.passed.is_empty() {
        "nothing".to_owned()
    } else {
        outcome.passed.join(", ")
    };
    if let Some(failed) = outcome.failed {
        eprintln!("\nxtask: FAILED at `{failed}`; passed before it: {passed}");
        return Ok(false);
    }
    eprintln!("\nxtask: all passed: {passed}");
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::steps;

    fn names(nextest: bool, deny: bool) -> Vec<&'static str> {
        steps(nextest, deny).iter().map(|step| step.name).collect()
    }

    #[test]
    fn the_test_runner_comes_last_and_deny_only_where_it_is_installed() {
        assert_eq!(
            names(true, false),
            ["format", "tidy", "strangers", "lints", "doc tests", "tests"]
        );
        assert_eq!(
            names(true, true),
            [
                "format",
                "tidy",
                "strangers",
                "deny",
                "lints",
                "doc tests",
                "tests"
            ]
        );
    }

    #[test]
    fn without_nextest_cargo_runs_the_tests() {
        assert!(
            steps(true, false)
                .iter()
                .any(|step| step.line.contains(&"nextest"))
        );
        assert!(
            !steps(false, false)
                .iter()
                .any(|step| step.line.contains(&"nextest"))
        );
        assert_eq!(names(false, false).last(), Some(&"tests"));
    }
}
