//! Where the programs of others are, and ours that use them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder in which `cargo xtask strangers` installed what is pinned now.
fn installed() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pins = root.join("crates/mobkit/tests/it/strangers/servers");
    let folder = root.join("target/strangers");
    for name in ["package.json", "package-lock.json", "requirements.txt"] {
        let pinned = std::fs::read(pins.join(name)).expect("a file of pins");
        let there = std::fs::read(folder.join("pins").join(name)).unwrap_or_default();
        assert!(
            pinned == there,
            "programs of others are missing: run `cargo xtask strangers` \
             (it needs python3, npm and, once, the network)"
        );
    }
    folder.canonicalize().expect("a folder")
}

fn script(name: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/strangers");
    here.join(name)
}

/// A script in Python, with the packages of others.
pub(super) fn python(name: &str) -> Command {
    let mut command = Command::new(installed().join("venv/bin/python"));
    command.arg(script(name));
    command
}

/// A script for Node.js, with the packages of others.
pub(super) fn node(name: &str) -> Command {
    let mut command = Command::new("node");
    command
        .arg(script(name))
        .env("NODE_PATH", installed().join("node/node_modules"));
    command
}
