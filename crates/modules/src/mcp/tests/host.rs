//! A host that notes what it hears.

use crate::client::Host;
use async_trait::async_trait;
use mobkit_domain::id::CallId;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// What a host hears.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Heard {
    Asked(CallId, String, Value),
    /// Nobody waits for the answer to a question any more.
    LetGo(CallId),
    Progress(CallId, String),
    Said(Value),
    ToolsChanged,
    Stray(String),
}

/// Answers questions with what was put in; waits for ever when nothing is left.
pub(super) struct Listener {
    heard: mpsc::Sender<Heard>,
    answers: Mutex<VecDeque<Option<Value>>>,
}

impl Listener {
    pub(super) fn answering(
        answers: impl IntoIterator<Item = Option<Value>>,
    ) -> (Arc<dyn Host>, mpsc::Receiver<Heard>) {
        let (heard, ears) = mpsc::channel(1_024);
        let answers = Mutex::new(answers.into_iter().collect());
        (Arc::new(Self { heard, answers }), ears)
    }

    fn note(&self, heard: Heard) {
        self.heard.try_send(heard).expect("room to note it");
    }
}

struct Waits<'l>(&'l Listener, Option<CallId>);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        if let Some(call) = self.1.take() {
            // The test may be over.
            let _ = self.0.heard.try_send(Heard::LetGo(call));
        }
    }
}

#[async_trait]
impl Host for Listener {
    async fn elicit(&self, call: CallId, message: String, schema: Value) -> Option<Value> {
        self.note(Heard::Asked(call, message, schema));
        let mut waits = Waits(self, Some(call));
        let answer = self.answers.lock().expect("not poisoned").pop_front();
        let answer = match answer {
            Some(answer) => answer,
            None => std::future::pending().await,
        };
        waits.1 = None;
        answer
    }

    fn progress(&self, call: CallId, message: String) {
        self.note(Heard::Progress(call, message));
    }

    fn said(&self, event: Value) {
        self.note(Heard::Said(event));
    }

    fn tools_changed(&self) {
        self.note(Heard::ToolsChanged);
    }

    fn stray(&self, line: String) {
        self.note(Heard::Stray(line));
    }
}
