//! Running the binary.

use crate::fake::Fake;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// The token that [`Fake`] wants.
pub(crate) const TOKEN: &str = "test-token";

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// The documents on stdout, one per line.
    pub fn documents(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).expect("each line is a document");
        self.stdout.lines().map(parse).collect()
    }

    /// The one document on stdout.
    pub fn document(&self) -> Value {
        serde_json::from_str(&self.stdout).expect("stdout is one document")
    }
}

/// A folder to run in.
pub(crate) struct Place {
    pub folder: TempDir,
}

impl Place {
    pub fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    /// A folder whose state directory names the server.
    pub fn of(server: &Fake) -> Self {
        let place = Self::empty();
        let state = place.path().join(".mobkit");
        std::fs::create_dir(&state).expect("a state directory");
        std::fs::write(state.join("operator.token"), format!("{TOKEN}\n")).expect("a token");
        point(place.path(), server.url());
        place
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("a file");
    }

    /// The binary, not yet started, with an environment of its own.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mobkit"));
        command.args(words).current_dir(self.path()).env_clear();
        command.stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub fn run(&self, words: &[&str]) -> Run {
        finish(&mut self.command(words))
    }

    /// Runs the binary with text on stdin.
    pub fn run_with(&self, words: &[&str], stdin: &str) -> Run {
        self.write("stdin.txt", stdin);
        let stdin = std::fs::File::open(self.path().join("stdin.txt")).expect("a file");
        finish(self.command(words).stdin(stdin))
    }
}

/// Writes down where the server is, as a server does.
pub(crate) fn point(folder: &Path, url: &str) {
    let record = json!({"pid": 1, "url": url, "started": "2026-11-22T06:00:00.000Z"});
    let path = folder.join(".mobkit/server.json");
    std::fs::write(path, record.to_string()).expect("a record");
}

pub(crate) fn finish(command: &mut Command) -> Run {
    let output = command.output().expect("the binary starts");
    Run {
        code: output.status.code().expect("it exits by itself"),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}
