//! Commands about the process.

use crate::event::{AccessDenied, DrainReport, ErrorEvent};

/// Commands about the process.
#[derive(Debug, Clone)]
pub enum RuntimeCommand {
    /// A process took over: recover what was open.
    Start {
        /// Version of mobkit.
        version: String,
        /// The writer epoch.
        epoch: u64,
        /// What an accepted event survives.
        durability: String,
        /// Whether every model is replaced by rehearsal.
        rehearsal: bool,
    },
    /// Start is complete.
    Ready,
    /// Begin to stop.
    Drain {
        /// How long running turns may take to end, in milliseconds.
        timeout_ms: u64,
    },
    /// Put aside every turn that is still open.
    Checkpoint,
    /// Write the last event.
    Stop {
        /// What was seen while the runtime drained.
        drain: DrainReport,
    },
    /// Look whether something is due.
    Tick,
    /// Record an error.
    Raise(ErrorEvent),
    /// Record a refused access.
    Deny(AccessDenied),
}
