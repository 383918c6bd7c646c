//! Events of modules.

use super::ToolEffect;
use crate::canonical::canonical_json;
use crate::id::{ModuleId, Seq};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A tool as its module describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolDefinition {
    /// Name within the module.
    pub name: String,
    /// What it does, for the model.
    #[serde(default)]
    pub description: String,
    /// JSON Schema of its arguments.
    pub schema: Value,
    /// JSON Schema of its structured result, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// What the module says that a repeated call does; the mob file wins.
    pub hint: ToolEffect,
    /// SHA-256 of the canonical JSON of all that was said of it. The writer computes it, whatever
    /// stands here before.
    pub hash: String,
}

impl ToolDefinition {
    /// The canonical JSON of all that was said of it: what its hash is taken of.
    pub fn canonical(&self) -> String {
        canonical_json(&json!({
            "name": self.name, "description": self.description, "schema": self.schema,
            "output_schema": self.output_schema, "hint": self.hint,
        }))
    }
}

/// Why a module is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartReason {
    /// The runtime became ready, or the module is new in the definition.
    Wanted,
    /// A lazy module was called.
    Called,
    /// Nobody knows yet which tools a lazy module has.
    Listing,
    /// It ended, or was changed.
    Restart,
    /// Somebody asked for it.
    Ordered,
}

/// A module is being started. The position of this event names the start: what came of another one
/// is stale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleStarting {
    /// The module.
    pub module: ModuleId,
    /// Why.
    pub reason: StartReason,
    /// The exact command, or the address. Secrets are references in the definition, so none is
    /// here.
    pub command: Vec<String>,
    /// Digest of the definition of the module.
    pub digest: String,
    /// Time without a call after which it is stopped again, in milliseconds; absent: it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_stop_ms: Option<u64>,
}

/// How the definition of a tool differs from what was known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolChange {
    /// Name within the module.
    pub tool: String,
    /// SHA-256 of the definition before; absent: it is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// SHA-256 of the definition of now; absent: it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A module answers. Also recorded when it answers again, or when its tools change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModuleHealthy {
    /// The module.
    pub module: ModuleId,
    /// The start that it is the outcome of.
    pub start: Seq,
    /// Its process, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The protocol that was agreed on, e.g. `mcp 2026-07-28`.
    pub protocol: String,
    /// What the sandbox enforces, one line; absent: none was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
    /// Its tools, in force from here on; absent: as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<ToolDefinition>>,
    /// Definitions that changed and wait for an approval, since the module is pinned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<ToolDefinition>,
    /// What changed against what was known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<ToolChange>,
}

/// A module does not answer as it should, though it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleUnhealthy {
    /// The module.
    pub module: ModuleId,
    /// The start whose process it is.
    pub start: Seq,
    /// Why.
    pub reason: String,
}

/// A module will be started again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleRestarting {
    /// The module.
    pub module: ModuleId,
    /// Why: how it ended, `operator`, or `changed` (its definition).
    pub reason: String,
    /// Restarts within the period of its policy, this one included; 0: somebody asked for it, or it
    /// was changed.
    pub restarts: u32,
    /// Not before this time.
    pub not_before: Time,
    /// Whether its process still has to be stopped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub running: bool,
}

/// A module is being stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleStopping {
    /// The module.
    pub module: ModuleId,
    /// Why: `idle`, `operator`, `removed`.
    pub reason: String,
    /// Whether it stays stopped until somebody starts it, even over a restart of the runtime.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
}

/// How a process came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopOutcome {
    /// By itself, or when its input was closed.
    Exited,
    /// By SIGTERM.
    Terminated,
    /// By SIGKILL.
    Killed,
}

impl StopOutcome {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exited => "exited",
            Self::Terminated => "terminated",
            Self::Killed => "killed",
        }
    }
}

/// A module does not run and is not started by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleStopped {
    /// The module.
    pub module: ModuleId,
    /// Why: `idle`, `operator`, `removed`, `restart`, `shutdown`, `crash` (the process before this
    /// one ended without stopping it), or how it ended.
    pub reason: String,
    /// How its process came to its end, where it had one that was stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<StopOutcome>,
    /// How long the stop took, in milliseconds.
    #[serde(default)]
    pub took_ms: u64,
    /// Whether it is forgotten, since the definition no longer has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
    /// Whether it stays stopped until somebody starts it, even over a restart of the runtime.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
}

/// A module ended too often and is not started by itself again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleQuarantined {
    /// The module.
    pub module: ModuleId,
    /// Why.
    pub reason: String,
}

/// A module says something without being asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModuleEvent {
    /// The module.
    pub module: ModuleId,
    /// What it says.
    pub event: Value,
    /// How many like it were dropped since the last one, above the rate that is recorded.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
}

/// What a module wrote to its standard error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleLog {
    /// The module.
    pub module: ModuleId,
    /// The lines.
    pub lines: Vec<String>,
    /// How many lines were dropped before these, above the rate that is recorded.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
    /// How many lines retention has taken; then none is left.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub forgotten: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_zero(n: &u64) -> bool {
    *n == 0
}
