//! `cargo xtask meerkat`: the tests of the engine meerkat against the real runtime.
//!
//! `test` runs the same suite against a stand-in that speaks from recordings. This installs the
//! runtime, in one exact version, once, below the cache folder of the user, and runs the suite with
//! it; `record` writes down what it says, from which the stand-in speaks.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

/// The version that the engine was made for.
const VERSION: &str = "0.9.8";
/// The folder of the suite, from the root.
const SUITE: &str = "crates/mobkit/tests/it/meerkat";
/// Turns under SIGKILL, where nobody says otherwise.
const KILL_TURNS: u32 = 100;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// The suite, and turns under SIGKILL.
    Suite { turns: u32, seed: u64 },
    /// Recordings, into a folder.
    Record { folder: PathBuf },
    /// Nothing but the program.
    Install,
}

/// Installs the runtime where it is missing, and does what the arguments ask for.
pub fn run(root: &Path, args: &[String]) -> anyhow::Result<bool> {
    let asked = asked(args)?;
    let program = install()?;
    match asked {
        Asked::Install => {
            println!("{}", program.display());
            Ok(true)
        }
        Asked::Suite { turns, seed } => {
            let program = program.to_string_lossy().into_owned();
            Ok(suite(root, &program)? && kills(root, &program, turns, seed)?)
        }
        Asked::Record { folder } => record(root, &program, &folder),
    }
}

fn asked(args: &[String]) -> anyhow::Result<Asked> {
    let mut words = args.iter().map(String::as_str);
    let (mut turns, mut seed) = (KILL_TURNS, 1);
    while let Some(word) = words.next() {
        match word {
            "install" => return Ok(Asked::Install),
            "record" => {
                let folder = words.next().context("record needs a folder")?;
                let folder = std::path::absolute(folder)?;
                return Ok(Asked::Record { folder });
            }
            "--turns" => turns = number(word, words.next())?,
            "--seed" => seed = number(word, words.next())?,
            _ => anyhow::bail!(
                "takes --turns N and --seed S, or `install`, or `record FOLDER`, not {word:?}"
            ),
        }
    }
    Ok(Asked::Suite { turns, seed })
}

fn number<T: std::str::FromStr>(word: &str, value: Option<&str>) -> anyhow::Result<T> {
    let value = value.with_context(|| format!("{word} needs a number"))?;
    let read = value.parse().ok();
    read.with_context(|| format!("{word} needs a whole number, not {value:?}"))
}

/// The program, built where it is missing.
fn install() -> anyhow::Result<PathBuf> {
    let folder = cache()?.join("mobkit/meerkat").join(VERSION);
    let program = folder.join("bin/rkat-rpc");
    if program.is_file() {
        return Ok(program);
    }
    eprintln!(
        "== meerkat-rpc {VERSION}: built once into {}; about 45 minutes and 10 GB on two cores",
        folder.display()
    );
    let status = Command::new("cargo")
        .args([
            "install",
            "meerkat-rpc",
            "--version",
            VERSION,
            "--locked",
            "--debug",
        ])
        .arg("--root")
        .arg(&folder)
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .status()
        .context("cargo could not be started")?;
    anyhow::ensure!(
        status.success() && program.is_file(),
        "meerkat-rpc could not be installed: it comes from crates.io; check the network and the \
         space on the disk, then repeat"
    );
    Ok(program)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a chore looks for the cache of its user"
)]
fn cache() -> anyhow::Result<PathBuf> {
    let named = std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    named
        .map(PathBuf::from)
        .or_else(home)
        .context("neither XDG_CACHE_HOME nor HOME is set")
}

/// Runs tests of the library with this command in the place of the stand-in, one after the other:
/// each starts a large program.
fn suite(root: &Path, command: &str) -> anyhow::Result<bool> {
    eprintln!("== the suite against {command}");
    let status = Command::new("cargo")
        .args(["test", "--package", "mobkit", "--test", "it", "--"])
        .args(["--test-threads", "1", "meerkat::"])
        .env("MOBKIT_TEST_MEERKAT", command)
        .current_dir(root)
        .status()
        .context("cargo could not be started")?;
    Ok(status.success())
}

fn kills(root: &Path, command: &str, turns: u32, seed: u64) -> anyhow::Result<bool> {
    eprintln!("== {turns} turns under SIGKILL, seed {seed} (--turns {turns} --seed {seed})");
    let status = Command::new("cargo")
        .args(["test", "--package", "mobkit-cli", "--test", "it", "--"])
        .args([
            "--exact",
            "--nocapture",
            "meerkat::nothing_is_lost_or_doubled_when_either_dies",
        ])
        .env("MOBKIT_TEST_MEERKAT", command)
        .env("MOBKIT_TEST_TURNS", turns.to_string())
        .env("MOBKIT_TEST_SEED", seed.to_string())
        .current_dir(root)
        .status()
        .context("cargo could not be started")?;
    Ok(status.success())
}

/// Has the runtime say everything that its stand-in has to know, and writes it down.
fn record(root: &Path, program: &Path, folder: &Path) -> anyhow::Result<bool> {
    let script = root.join(SUITE).join("converse.py");
    let status = Command::new("python3")
        .arg(script)
        .arg(folder)
        .arg("life")
        .arg(program)
        .status()
        .context("python3 is missing: install Python 3.11 or newer, then repeat")?;
    Ok(status.success())
}

#[cfg(test)]
mod tests {
    use super::{Asked, asked};

    fn read(words: &[&str]) -> anyhow::Result<Asked> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        asked(&words)
    }

    #[test]
    fn the_suite_is_run_where_nothing_else_is_asked_for() {
        let suite = |turns, seed| Asked::Suite { turns, seed };
        assert_eq!(read(&[]).expect("nothing is needed"), suite(100, 1));
        let both = read(&["--seed", "7", "--turns", "3"]).expect("two numbers");
        assert_eq!(both, suite(3, 7));
        assert_eq!(read(&["install"]).expect("a word"), Asked::Install);
        let folder = "/recordings".into();
        let record = read(&["record", "/recordings"]).expect("a folder");
        assert_eq!(record, Asked::Record { folder });
        for words in [
            &["record"][..],
            &["--turns"],
            &["--turns", "many"],
            &["reccord"],
        ] {
            assert!(read(words).is_err(), "{words:?}");
        }
    }
}
