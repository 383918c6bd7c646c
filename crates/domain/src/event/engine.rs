//! Events of external engines: the runtimes beside mobkit that run whole turns.

use super::StopOutcome;
use crate::definition::Engine;
use crate::id::{MemberId, TurnId};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an engine can do beyond running turns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offers {
    /// It takes messages into a running turn.
    pub steer: bool,
    /// It says how many tokens its calls used.
    pub usage: bool,
    /// It streams text as it is written.
    pub deltas: bool,
}

impl Offers {
    /// The words for what it can't do: `steer`, `usage`, `deltas`.
    pub fn missing(self) -> Vec<&'static str> {
        let all = [
            ("steer", self.steer),
            ("usage", self.usage),
            ("deltas", self.deltas),
        ];
        let missing = all.into_iter().filter(|(_, offered)| !offered);
        missing.map(|(word, _)| word).collect()
    }
}

/// The process of an engine answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineStarted {
    /// The engine.
    pub engine: Engine,
    /// Its process.
    pub pid: u32,
    /// What it says of its version.
    pub version: String,
}

/// What follows the end of an engine's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "next", rename_all = "snake_case")]
pub enum EngineNext {
    /// It is started again.
    Restart {
        /// Not before this time.
        not_before: Time,
    },
    /// Nothing: it ended in order.
    Stopped,
    /// Nothing: it is given up, and the members whose profile names it have failed.
    Failed,
}

/// The process of an engine has ended, or never came up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineStopped {
    /// The engine.
    pub engine: Engine,
    /// Why, one line.
    pub reason: String,
    /// How its process came to its end, where that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<StopOutcome>,
    /// What follows.
    #[serde(flatten)]
    pub next: EngineNext,
}

/// What an engine wrote to its standard error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineLog {
    /// The engine.
    pub engine: Engine,
    /// The lines.
    pub lines: Vec<String>,
    /// How many lines were dropped before these, above the rate that is recorded.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
    /// How many lines retention has taken; then none is left.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub forgotten: u64,
}

/// A structural event of the engine's own journal. The highest cursor that is recorded is where
/// reading goes on after a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineEvent {
    /// The engine.
    pub engine: Engine,
    /// Its place in the engine's journal; rises from event to event.
    pub cursor: u64,
    /// What the engine says, as it says it.
    pub original: Value,
}

/// Some of the events of an engine were lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineGap {
    /// The engine.
    pub engine: Engine,
    /// The member whose events they were, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// The turn in which it happened, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// Why, one line.
    pub reason: String,
    /// In words, how the truth was found all the same.
    pub reconciled: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_zero(n: &u64) -> bool {
    *n == 0
}
