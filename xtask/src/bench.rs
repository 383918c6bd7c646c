//! `cargo xtask bench`: the measured figures, as one table.

use std::path::Path;
use std::process::Command;

use anyhow::Context;

/// Builds the benchmarks in release and runs them; the arguments are handed on (`--help` lists
/// them). The table goes to stdout.
pub fn run(root: &Path, args: &[String]) -> anyhow::Result<bool> {
    let status = Command::new("cargo")
        .args(["run", "--release", "--manifest-path"])
        .arg(root.join("bench/Cargo.toml"))
        .arg("--target-dir")
        .arg(root.join("target/bench"))
        .arg("--")
        .args(args)
        .current_dir(root)
        .status()
        .context("`cargo` could not be started")?;
    Ok(status.success())
}
