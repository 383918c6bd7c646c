//! Where the process of a module stands, as the process that started it knows it. What the journal
//! says of it may be a moment older.

use super::calls::CallsInFlight;
use crate::client::Client;
use crate::redaction::Redaction;
use mobkit_domain::command::{Command, ModuleCommand};
use mobkit_domain::event::{StopOutcome, ToolDefinition};
use mobkit_domain::id::{ModuleId, Seq};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{mpsc, oneshot, watch};

/// A module that answers.
pub(super) struct Running {
    /// Its start.
    pub(super) start: Seq,
    /// Its process.
    pub(super) pid: Option<u32>,
    /// What its sandbox enforces.
    pub(super) sandbox: Option<String>,
    /// The conversation.
    pub(super) client: Arc<dyn Client>,
    /// What it works on.
    pub(super) calls: Arc<CallsInFlight>,
    /// What is kept out of what is recorded of it.
    pub(super) redaction: Arc<Redaction>,
    /// To the task that watches it.
    pub(super) orders: mpsc::Sender<Order>,
    /// How it ended, once it has.
    pub(super) ended: watch::Receiver<Option<String>>,
}

impl Running {
    /// The command that says that it answers.
    pub(super) fn healthy(&self, module: &ModuleId, tools: Option<Vec<ToolDefinition>>) -> Command {
        Command::Module(ModuleCommand::Healthy {
            module: module.clone(),
            start: self.start,
            pid: self.pid,
            protocol: self.redaction.text(self.client.protocol()),
            sandbox: self.sandbox.clone(),
            tools,
        })
    }
}

/// What the task that watches a module is told.
pub(super) enum Order {
    /// It is to end in order.
    Stop {
        /// Where to tell how it ended.
        stopped: oneshot::Sender<Stopped>,
    },
    /// Somebody doubts that it is alive.
    Probe {
        /// Why.
        doubt: String,
    },
}

/// How a module was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stopped {
    /// How its process came to its end.
    pub(super) outcome: StopOutcome,
    /// How long it took, in milliseconds.
    pub(super) took_ms: u64,
}

/// Where a module stands.
#[derive(Clone)]
pub(super) enum Standing {
    /// There is no process.
    Absent,
    /// It was started and does not answer yet.
    Starting,
    /// It answers.
    Running(Arc<Running>),
}

/// The place of one module.
pub(super) struct Place {
    standing: watch::Sender<Standing>,
    /// The last start that was given up before the module answered.
    given_up: AtomicU64,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            standing: watch::Sender::new(Standing::Absent),
            given_up: AtomicU64::new(0),
        }
    }
}

impl Place {
    /// Lets somebody wait for changes.
    pub(super) fn subscribe(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// The module, if it answers.
    pub(super) fn running(&self) -> Option<Arc<Running>> {
        match &*self.standing.borrow() {
            Standing::Running(running) => Some(Arc::clone(running)),
            Standing::Absent | Standing::Starting => None,
        }
    }

    /// Waits until nothing is left of earlier starts, and takes the place for another one.
    pub(super) async fn take(self: &Arc<Self>, start: Seq) -> Taken {
        let mut changes = self.subscribe();
        loop {
            let is_taken = self.standing.send_if_modified(|standing| {
                let is_free = matches!(standing, Standing::Absent);
                if is_free {
                    *standing = Standing::Starting;
                }
                is_free
            });
            if is_taken {
                return Taken {
                    place: Arc::clone(self),
                    start,
                    has_answered: false,
                };
            }
            // The sender is this place.
            let _ = changes.changed().await;
        }
    }

    /// Whether this start was given up before the module answered: its process was killed.
    pub(super) fn gave_up(&self, start: Seq) -> bool {
        self.given_up.load(Ordering::Acquire) == start
    }

    /// Waits until nothing of it is left.
    pub(super) async fn is_free(&self) {
        let mut changes = self.subscribe();
        // The sender is this place.
        let free = changes.wait_for(|standing| matches!(standing, Standing::Absent));
        let _ = free.await;
    }
}

/// A place that is taken. Dropped, it is free again: whoever holds it makes sure that nothing of
/// the module is left by then.
pub(super) struct Taken {
    place: Arc<Place>,
    start: Seq,
    has_answered: bool,
}

impl Taken {
    /// The module answers.
    pub(super) fn answers(&mut self, running: Arc<Running>) {
        self.has_answered = true;
        self.place.standing.send_replace(Standing::Running(running));
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if !self.has_answered {
            self.place.given_up.store(self.start, Ordering::Release);
        }
        self.place.standing.send_replace(Standing::Absent);
    }
}
