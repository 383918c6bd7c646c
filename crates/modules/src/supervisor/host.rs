//! What a module wants of its host.

use super::calls::CallsInFlight;
use crate::client::Host;
use crate::redaction::Redaction;
use async_trait::async_trait;
use mobkit_domain::id::CallId;
use mobkit_engine::Engine;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Notify, mpsc};

/// How much of what a module says waits to be recorded; what is above that is counted and dropped.
const WAITING_MAX: usize = 64;

/// Something that a module says without being asked.
pub(super) enum Said {
    /// An event.
    Event(Value),
    /// A line that is no part of its protocol.
    Stray(String),
}

/// What passes from the host of a module to the task that records what it says.
pub(super) struct Voice {
    /// What it says, in order.
    pub(super) said: mpsc::Receiver<Said>,
    /// How much was dropped since nobody had the time.
    pub(super) dropped: Arc<AtomicU64>,
    /// Its tools have changed.
    pub(super) tools_changed: Arc<Notify>,
}

/// The host of one start of a module.
pub(super) struct ModuleHost {
    engine: Engine,
    redaction: Arc<Redaction>,
    calls: Arc<CallsInFlight>,
    said: mpsc::Sender<Said>,
    dropped: Arc<AtomicU64>,
    tools_changed: Arc<Notify>,
}

impl ModuleHost {
    /// A host, and what it hears.
    pub(super) fn new(
        engine: Engine,
        redaction: Arc<Redaction>,
        calls: Arc<CallsInFlight>,
    ) -> (Self, Voice) {
        let (sender, said) = mpsc::channel(WAITING_MAX);
        let voice = Voice {
            said,
            dropped: Arc::default(),
            tools_changed: Arc::default(),
        };
        let host = Self {
            engine,
            redaction,
            calls,
            said: sender,
            dropped: Arc::clone(&voice.dropped),
            tools_changed: Arc::clone(&voice.tools_changed),
        };
        (host, voice)
    }

    fn hear(&self, said: Said) {
        if self.said.try_send(said).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[async_trait]
impl Host for ModuleHost {
    async fn elicit(&self, call: CallId, message: String, schema: Value) -> Option<Value> {
        let question = self.calls.question(call)?;
        let (message, schema) = (self.redaction.text(message), self.redaction.value(schema));
        self.engine
            .elicit(question.turn, call, message, schema)
            .await
    }

    fn progress(&self, call: CallId, message: String) {
        if let Some(turn) = self.calls.progress(call, self.engine.now()) {
            self.engine
                .progress(turn, call, &self.redaction.text(message));
        }
    }

    fn said(&self, event: Value) {
        self.hear(Said::Event(event));
    }

    fn tools_changed(&self) {
        self.tools_changed.notify_one();
    }

    fn stray(&self, line: String) {
        self.hear(Said::Stray(line));
    }
}
