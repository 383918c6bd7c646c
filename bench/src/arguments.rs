//! What can be said on the command line.

use crate::part;
use std::path::PathBuf;

const USAGE: &str = "\
cargo xtask bench [--dir DIR] [--quick] [PART…]

  --dir DIR   where data is written; the disk of this folder is what is measured
              (default: one of its own in target, removed at the end)
  --quick     a tenth of the work: for a look, not for figures";

/// The command line, read.
#[derive(Debug, Clone)]
pub struct Arguments {
    /// Where data is written.
    pub dir: PathBuf,
    /// Whether a tenth of the work is enough.
    pub quick: bool,
    /// The parts to run; empty: all.
    pub parts: Vec<String>,
    /// Set in the processes that the benchmark starts itself: what this one does.
    pub inner: Option<String>,
}

impl Arguments {
    /// Reads the words; the error is what to print.
    pub fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut read = Self {
            dir: default_dir(),
            quick: false,
            parts: Vec::new(),
            inner: None,
        };
        let mut words = words;
        while let Some(word) = words.next() {
            match word.as_str() {
                "--dir" => read.dir = words.next().ok_or("--dir needs a folder")?.into(),
                "--inner" => read.inner = words.next(),
                "--quick" => read.quick = true,
                "--help" | "-h" => return Err(format!("{USAGE}\n\nparts: {}", part::names())),
                name if part::is_known(name) => read.parts.push(word),
                other => return Err(format!("there is no part {other:?}\n\n{USAGE}")),
            }
        }
        Ok(read)
    }
}

/// Of this process alone: two runs at once disturb each other's figures, not each other's files.
fn default_dir() -> PathBuf {
    root()
        .join("target")
        .join(format!("bench-data-{}", std::process::id()))
}

/// The folder of the repository.
pub fn root() -> PathBuf {
    let bench = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    bench.parent().map(PathBuf::from).unwrap_or(bench)
}
