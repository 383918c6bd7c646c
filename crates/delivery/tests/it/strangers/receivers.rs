//! The receivers of `receivers.py`.

use super::installed::python;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

/// Receivers that run until they are dropped.
pub(super) struct Receivers {
    child: Child,
    lines: BufReader<ChildStdout>,
    /// Ports by protocol, and the file of the authority that signed for `localhost`.
    pub(super) places: Value,
    _folder: tempfile::TempDir,
}

impl Receivers {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = python("receivers.py");
        command
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("python starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut receivers = Self {
            child,
            lines,
            places: Value::Null,
            _folder: folder,
        };
        receivers.places = receivers.next().expect("where they are");
        receivers
    }

    /// The port of a protocol.
    pub(super) fn port(&self, protocol: &str) -> u64 {
        self.places[protocol].as_u64().expect("a port")
    }

    /// What has arrived next; waits for it.
    pub(super) fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).ok()
    }

    /// Ends the receivers and gives what has arrived that nobody asked for.
    pub(super) fn rest(mut self) -> Vec<Value> {
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        std::iter::from_fn(|| self.next()).collect()
    }
}

impl Drop for Receivers {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
