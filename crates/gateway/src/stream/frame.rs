//! How the things that a stream carries are written.

use crate::problem::{problem, rpc_error};
use bytes::{BufMut, Bytes, BytesMut};
use mobkit_domain::id::Seq;
use mobkit_domain::refusal::Refusal;
use mobkit_engine::{Delta, Published};
use serde_json::{Value, json};

/// After how many milliseconds a browser connects again.
const RETRY_MS: u64 = 1_000;
/// The last event of a stream whose runtime stops.
const STOPPING: &str = "runtime.stopping";

/// How the items of a stream are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Server-sent events (WHATWG HTML, section 9.2).
    Sse,
    /// One JSON document per line.
    Lines,
    /// Notifications of JSON-RPC under the number of a subscription, one per line.
    Notes(u64),
}

/// A notification of JSON-RPC.
fn note(method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string()
}

/// Writes one chunk.
pub(super) struct Frame {
    form: Form,
    bytes: BytesMut,
}

impl Frame {
    pub fn of(form: Form) -> Self {
        Self {
            form,
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
        match self.form {
            Form::Sse => self.put(&format!(
                "id: {}\ndata: {}",
                event.envelope.seq,
                event.wire()
            )),
            Form::Lines => self.put(event.wire()),
            Form::Notes(number) => {
                self.put(r#"{"jsonrpc":"2.0","method":"event","params":{"subscription":"#);
                self.put(&format!(r#"{number},"event":{}}}}}"#, event.wire()));
            }
        }
        self.end();
    }

    /// A piece of text of the lossy lane. It has no place in the journal, so it has no id.
    pub fn delta(&mut self, delta: &Delta) {
        match self.form {
            Form::Sse => self.put(&format!("event: delta\ndata: {}", json!(delta))),
            Form::Lines => self.put(&json!({ "delta": delta }).to_string()),
            Form::Notes(number) => {
                let params = json!({ "subscription": number, "delta": delta });
                self.put(&note("event/delta", &params));
            }
        }
        self.end();
    }

    /// The start of a stream: from which position a reader goes on that loses it at once.
    pub fn opening(&mut self, cursor: Seq) {
        if self.form == Form::Sse {
            self.put(&format!("retry: {RETRY_MS}\nid: {cursor}"));
            self.end();
        }
    }

    /// A sign of life. The id says how far the journal was searched, so that a reader of rare
    /// events does not fall behind what is kept.
    pub fn heartbeat(&mut self, cursor: Seq) {
        match self.form {
            Form::Sse => self.put(&format!(": heartbeat\nid: {cursor}\n\n")),
            Form::Lines => self.put("\n"),
            Form::Notes(number) => {
                let params = json!({ "subscription": number, "after": cursor });
                self.put(&note("event/cursor", &params));
                self.end();
            }
        }
    }

    /// The runtime stops.
    pub fn stopping(&mut self) {
        let data = json!({ "kind": STOPPING });
        match self.form {
            Form::Sse => self.put(&format!("event: {STOPPING}\ndata: {data}")),
            Form::Lines => self.put(&data.to_string()),
            Form::Notes(number) => {
                let params = json!({ "subscription": number, "reason": STOPPING });
                self.put(&note("event/ended", &params));
            }
        }
        self.end();
    }

    /// The stream can't go on.
    pub fn problem(&mut self, refusal: &Refusal) {
        let problem = problem(refusal);
        match self.form {
            Form::Sse => self.put(&format!("event: problem\ndata: {problem}")),
            Form::Lines => self.put(&json!({ "problem": problem }).to_string()),
            Form::Notes(number) => {
                let error = rpc_error(refusal);
                let reason = &refusal.code;
                let params = json!({ "subscription": number, "reason": reason, "error": error });
                self.put(&note("event/ended", &params));
            }
        }
        self.end();
    }

    fn end(&mut self) {
        self.put(match self.form {
            Form::Sse => "\n\n",
            Form::Lines | Form::Notes(_) => "\n",
        });
    }
}
