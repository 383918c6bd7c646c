//! How the things that a stream carries are written.

use super::negotiate::Format;
use crate::problem::problem;
use bytes::{BufMut, Bytes, BytesMut};
use mobkit_domain::id::Seq;
use mobkit_domain::refusal::Refusal;
use mobkit_engine::{Delta, Published};
use serde_json::json;

/// After how many milliseconds a browser connects again.
const RETRY_MS: u64 = 1_000;
/// The last event of a stream whose runtime stops.
const STOPPING: &str = "runtime.stopping";

/// Writes one chunk.
pub(super) struct Frame {
    format: Format,
    bytes: BytesMut,
}

impl Frame {
    pub fn of(format: Format) -> Self {
        Self {
            format,
            bytes: BytesMut::new(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn into_bytes(self) -> Bytes {
        self.bytes.freeze()
    }

    fn put(&mut self, text: &str) {
        self.bytes.put_slice(text.as_bytes());
    }

    /// An event, in the text that was made once for all readers.
    pub fn event(&mut self, event: &Published) {
        if self.format == Format::Sse {
            self.put(&format!("id: {}\ndata: ", event.envelope.seq));
        }
        self.put(event.wire());
        self.end();
    }

    /// A piece of text of the lossy lane. It has no place in the journal, so it has no id.
    pub fn delta(&mut self, delta: &Delta) {
        match self.format {
            Format::Sse => self.put(&format!("event: delta\ndata: {}", json!(delta))),
            Format::Lines => self.put(&json!({ "delta": delta }).to_string()),
        }
        self.end();
    }

    /// The start of a stream: from which position a reader goes on that loses it at once.
    pub fn opening(&mut self, cursor: Seq) {
        if self.format == Format::Sse {
            self.put(&format!("retry: {RETRY_MS}\nid: {cursor}"));
            self.end();
        }
    }

    /// A sign of life. The id says how far the journal was searched, so that a reader of rare
    /// events does not fall behind what is kept.
    pub fn heartbeat(&mut self, cursor: Seq) {
        match self.format {
            Format::Sse => self.put(&format!(": heartbeat\nid: {cursor}\n\n")),
            Format::Lines => self.put("\n"),
        }
    }

    /// The runtime stops.
    pub fn stopping(&mut self) {
        let data = json!({ "kind": STOPPING }).to_string();
        if self.format == Format::Sse {
            self.put(&format!("event: {STOPPING}\ndata: "));
        }
        self.put(&data);
        self.end();
    }

    /// The stream can't go on.
    pub fn problem(&mut self, refusal: &Refusal) {
        let problem = problem(refusal);
        match self.format {
            Format::Sse => self.put(&format!("event: problem\ndata: {problem}")),
            Format::Lines => self.put(&json!({ "problem": problem }).to_string()),
        }
        self.end();
    }

    fn end(&mut self) {
        self.put(match self.format {
            Format::Sse => "\n\n",
            Format::Lines => "\n",
        });
    }
}
