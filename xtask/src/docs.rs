//! `cargo xtask docs`: the generated documents.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::step::output_of;

/// Where the documents belong.
const FOLDER: &str = "docs/reference";

/// Runs the tests that compare `docs/reference` with what the program says of itself; each leaves
/// what it has made of it, and that is taken.
pub fn run(root: &Path, args: &[String]) -> anyhow::Result<bool> {
    anyhow::ensure!(args.is_empty(), "takes no arguments");
    let made = made_folder(root)?;
    if made.exists() {
        fs::remove_dir_all(&made).with_context(|| made.display().to_string())?;
    }
    let tests = ["--package", "mobkit-cli", "--test", "it"];
    let build = Command::new("cargo")
        .args(["test", "--quiet", "--locked", "--no-run"])
        .args(tests)
        .current_dir(root)
        .status()
        .context("`cargo` could not be started")?;
    if !build.success() {
        return Ok(false);
    }
    // They fail where a document is out of date, which is what this is for.
    Command::new("cargo")
        .args(["test", "--quiet", "--locked"])
        .args(tests)
        .args(["reference::"])
        .current_dir(root)
        .output()
        .context("`cargo` could not be started")?;
    let folder = root.join(FOLDER);
    fs::create_dir_all(&folder)?;
    let entries = fs::read_dir(&made).context("the tests have made no document")?;
    for entry in entries {
        let entry = entry?;
        let (from, to) = (entry.path(), folder.join(entry.file_name()));
        let text = fs::read(&from)?;
        if fs::read(&to).ok().as_ref() != Some(&text) {
            fs::write(&to, text).with_context(|| to.display().to_string())?;
            println!("wrote {FOLDER}/{}", entry.file_name().to_string_lossy());
        }
    }
    Ok(true)
}

fn made_folder(root: &Path) -> anyhow::Result<PathBuf> {
    let line = ["cargo", "metadata", "--no-deps", "--format-version", "1"];
    let metadata: serde_json::Value = serde_json::from_str(&output_of(root, &line)?)?;
    let target = metadata["target_directory"].as_str();
    let target = target.context("cargo names no target directory")?;
    Ok(Path::new(target).join("tmp/reference"))
}
