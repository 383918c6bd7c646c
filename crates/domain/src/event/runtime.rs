//! Events of a process's life.

use crate::id::TurnId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A process took over the mob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeStarted {
    /// Version of mobkit.
    pub version: String,
    /// Writer epoch; rises with every start, so that a writer of an earlier one is refused.
    pub epoch: u64,
    /// `power`, `process` or `memory`: what an accepted event survives.
    pub durability: String,
    /// Whether every model is replaced by rehearsal.
    pub rehearsal: bool,
}

/// What a start found open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeRecovered {
    /// Turns that had been put aside by an orderly stop.
    pub turns_checkpointed: Vec<TurnId>,
    /// Turns that were running when the process ended without a stop.
    pub turns_interrupted: Vec<TurnId>,
    /// Messages that wait for their turn.
    pub messages_waiting: u64,
    /// Whether the process before this one stopped in order.
    pub clean: bool,
}

/// Start is complete; turns begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeReady {
    /// Members that are present.
    pub members: u64,
}

/// Shutdown began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeDraining {
    /// How long running turns may take to end, in milliseconds.
    pub timeout_ms: u64,
}

/// What was seen while the runtime drained. Every figure was observed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DrainReport {
    /// Turns that ended by themselves, with or without an answer.
    pub turns_finished: u64,
    /// Turns put aside to go on at the next start.
    pub turns_checkpointed: u64,
    /// Turns that were cancelled.
    pub turns_cancelled: u64,
    /// Deliveries that stay queued for the next start.
    pub deliveries_left: u64,
    /// Events written since the drain began.
    pub events_flushed: u64,
    /// Whether the deadline ended the drain.
    pub timed_out: bool,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// The last event of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeStopped {
    /// What was seen while the runtime drained.
    pub drain: DrainReport,
}
