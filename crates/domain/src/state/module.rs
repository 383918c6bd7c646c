//! Modules as the journal leaves them.

use crate::event::{ToolDefinition, ToolEffect};
use crate::id::{CallId, ModuleId, Seq};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Where a module stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModuleStatus {
    /// It does not run.
    Stopped,
    /// It was started and has not answered yet.
    Starting,
    /// It answers.
    Healthy,
    /// It is there and does not answer as it should.
    Unhealthy,
    /// It was told to end.
    Stopping,
    /// It will be started again, not before this time.
    Restarting {
        /// The time.
        not_before: Time,
    },
    /// It ended too often.
    Quarantined,
}

impl ModuleStatus {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Stopping => "stopping",
            Self::Restarting { .. } => "restarting",
            Self::Quarantined => "quarantined",
        }
    }
}

/// One module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Module {
    /// Where it stands.
    pub status: ModuleStatus,
    /// Since when.
    pub since: Time,
    /// Why it stands there, where there is something to say.
    pub reason: Option<String>,
    /// Position of its last `module.starting`: names the process.
    pub start: Seq,
    /// Whether there may be a process of that start.
    pub running: bool,
    /// The process.
    pub pid: Option<u32>,
    /// Restarts that its policy made, over all time.
    pub restarts: u64,
    /// When its policy restarted it of late; those older than its period are forgotten.
    pub recent: Vec<Time>,
    /// Whether an operator stopped it: then it stays so until somebody starts it.
    pub held: bool,
    /// Digest of the definition under which it was last started.
    pub digest: String,
    /// Time without a call after which it is stopped, in milliseconds.
    pub idle_stop_ms: Option<u64>,
    /// When it was last called or became healthy.
    pub last_used: Time,
    /// Calls in flight.
    pub calls: BTreeSet<CallId>,
    /// The protocol that was agreed on.
    pub protocol: Option<String>,
    /// What the sandbox enforces.
    pub sandbox: Option<String>,
    /// Its tools by name, as members are told of them; `None`: nobody knows yet. They stay known
    /// while it does not run.
    pub tools: Option<BTreeMap<String, ToolDefinition>>,
    /// Digest of the definition under which the tools were listed.
    pub tools_digest: String,
    /// Definitions that changed and wait for an approval.
    pub changed: BTreeMap<String, ToolDefinition>,
    /// Definitions of tools that are gone, as members were told of them last: a pinned module that
    /// brings a tool back under another definition does not get round the approval. At most 512
    /// tools with 4 MiB of definitions.
    #[serde(default)]
    pub gone: BTreeMap<String, ToolDefinition>,
    /// What went wrong last, one line.
    #[serde(default)]
    pub last_error: Option<String>,
}

impl Module {
    /// A module of which nothing is known.
    pub(super) fn unknown(now: Time) -> Self {
        Self {
            status: ModuleStatus::Stopped,
            since: now,
            reason: None,
            start: 0,
            running: false,
            pid: None,
            restarts: 0,
            recent: Vec::new(),
            held: false,
            digest: String::new(),
            idle_stop_ms: None,
            last_used: now,
            calls: BTreeSet::new(),
            protocol: None,
            sandbox: None,
            tools: None,
            tools_digest: String::new(),
            changed: BTreeMap::new(),
            gone: BTreeMap::new(),
            last_error: None,
        }
    }

    /// When the writer has to look at it: a restart, or the end of its idle time.
    pub fn due(&self) -> Option<Time> {
        match self.status {
            ModuleStatus::Restarting { not_before } if !self.running => Some(not_before),
            ModuleStatus::Healthy | ModuleStatus::Unhealthy if self.calls.is_empty() => {
                self.idle_stop_ms.map(|idle| self.last_used.plus_ms(idle))
            }
            ModuleStatus::Stopped
            | ModuleStatus::Starting
            | ModuleStatus::Healthy
            | ModuleStatus::Unhealthy
            | ModuleStatus::Stopping
            | ModuleStatus::Restarting { .. }
            | ModuleStatus::Quarantined => None,
        }
    }
}

/// A call that no turn waits for: somebody called the module directly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DirectCall {
    /// The module.
    pub module: ModuleId,
    /// Qualified tool name.
    pub tool: String,
    /// Arguments.
    pub args: Value,
    /// What a repeated call does.
    pub effect: ToolEffect,
}
