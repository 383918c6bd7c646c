//! `cargo xtask sim`: the whole server from a thousand seeds.

use std::path::Path;
use std::process::Command;

use anyhow::Context;

/// Builds the simulation and runs it with these arguments: `--seed N`, or `--seeds N --from S`. A
/// debug build, since assertions are part of what is looked for.
pub fn run(root: &Path, args: &[String]) -> anyhow::Result<bool> {
    let status = Command::new("cargo")
        .args([
            "run",
            "--quiet",
            "--locked",
            "--package",
            "mobkit-sim",
            "--",
        ])
        .args(args)
        .current_dir(root)
        .status()
        .context("`cargo` could not be started")?;
    Ok(status.success())
}
