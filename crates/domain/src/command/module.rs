//! Commands about a module, and how one ends.

use crate::event::{ModuleEvent, ModuleLog, StopOutcome, ToolDefinition};
use crate::id::{ModuleId, Seq};
use serde_json::Value;

/// Commands about a module.
#[derive(Debug, Clone)]
pub enum ModuleCommand {
    /// Somebody wants it to run.
    Start {
        /// The module.
        module: ModuleId,
    },
    /// Somebody wants it to end and stay so.
    Stop {
        /// The module.
        module: ModuleId,
    },
    /// Somebody wants it to end and to be started again.
    Restart {
        /// The module.
        module: ModuleId,
    },
    /// The definition in force has this module, has it changed, or no longer has it: bring it to
    /// that.
    Converge {
        /// The module.
        module: ModuleId,
    },
    /// Somebody calls a tool directly.
    Call {
        /// The module.
        module: ModuleId,
        /// Name of the tool within it.
        tool: String,
        /// Arguments.
        args: Value,
    },
    /// It answers.
    Healthy {
        /// The module.
        module: ModuleId,
        /// The start that it is the outcome of.
        start: Seq,
        /// Its process.
        pid: Option<u32>,
        /// The protocol that was agreed on.
        protocol: String,
        /// What the sandbox enforces.
        sandbox: Option<String>,
        /// Its tools; `None`: as before.
        tools: Option<Vec<ToolDefinition>>,
    },
    /// It does not answer as it should.
    Unhealthy {
        /// The module.
        module: ModuleId,
        /// The start whose process it is.
        start: Seq,
        /// Why.
        reason: String,
    },
    /// It could not be started, or it ended without being told to.
    Ended {
        /// The module.
        module: ModuleId,
        /// The start whose process it was.
        start: Seq,
        /// How, one line.
        reason: String,
        /// What its restart policy is to make of it.
        ended: Ended,
    },
    /// It ended since it was told to.
    Stopped {
        /// The module.
        module: ModuleId,
        /// The start whose process it was.
        start: Seq,
        /// How.
        outcome: StopOutcome,
        /// How long it took, in milliseconds.
        took_ms: u64,
        /// Why it was told to, where the journal does not know: `shutdown`.
        reason: Option<String>,
    },
    /// It says something without being asked.
    Said(ModuleEvent),
    /// It wrote to its standard error.
    Logged(ModuleLog),
}

/// What a restart policy makes of the end of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It ended with success.
    Success,
    /// It failed: an exit with an error, a signal, a broken protocol, no answer in time.
    Failure,
    /// It will fail each time, so that it is not worth another try: a sandbox that can't be had.
    Hopeless,
}
