//! `cargo xtask kill-test`: the newsroom under SIGKILL, many times.
//!
//! The work is done by a test of the binary, which also runs with a few kills among all tests; this
//! only tells it how many, and with which seed.

use std::path::Path;
use std::process::Command;

use anyhow::Context;

/// The test in `crates/cli/tests/it/kill.rs`.
const TEST: &str = "kill::nothing_is_lost_or_done_twice_under_sigkill";

/// How often to kill, and where the random numbers start.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    kills: u32,
    seed: u64,
}

/// Runs the test with the kills and the seed of the arguments.
pub fn run(root: &Path, args: &[String]) -> anyhow::Result<bool> {
    let Asked { kills, seed } = asked(args)?;
    eprintln!("== {kills} kills, seed {seed} (repeat it with --kills {kills} --seed {seed})");
    let status = Command::new("cargo")
        .args([
            "test",
            "--quiet",
            "--package",
            "mobkit-cli",
            "--test",
            "it",
            "--",
        ])
        .args(["--exact", "--nocapture", TEST])
        .env("MOBKIT_TEST_KILLS", kills.to_string())
        .env("MOBKIT_TEST_SEED", seed.to_string())
        .current_dir(root)
        .status()
        .context("cargo could not be started")?;
    Ok(status.success())
}

fn asked(args: &[String]) -> anyhow::Result<Asked> {
    let mut asked = Asked { kills: 50, seed: 1 };
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let value = words
            .next()
            .with_context(|| format!("{word} needs a number"))?;
        let wrong = || format!("{word} needs a whole number, not {value:?}");
        match word.as_str() {
            "--kills" => asked.kills = value.parse().with_context(wrong)?,
            "--seed" => asked.seed = value.parse().with_context(wrong)?,
            _ => anyhow::bail!("takes --kills N and --seed S, not {word:?}"),
        }
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::{Asked, asked};

    fn read(words: &[&str]) -> anyhow::Result<Asked> {
        asked(
            &words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn numbers_have_defaults_and_names() {
        assert_eq!(
            read(&[]).expect("nothing is needed"),
            Asked { kills: 50, seed: 1 }
        );
        let both = read(&["--seed", "7", "--kills", "3"]).expect("two numbers");
        assert_eq!(both, Asked { kills: 3, seed: 7 });
        for words in [
            &["--kills"][..],
            &["--kills", "many"],
            &["--sed", "7"],
            &["--seed", "-1"],
        ] {
            assert!(read(words).is_err(), "{words:?}");
        }
    }
}
