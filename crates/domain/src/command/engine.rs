//! What an external engine reports of itself.

use crate::definition::Engine;
use crate::event::StopOutcome;
use crate::id::{MemberId, TurnId};
use crate::time::Time;
use serde_json::Value;

/// Commands about an external engine.
#[derive(Debug, Clone)]
pub enum EngineCommand {
    /// Its process answers.
    Started {
        /// The engine.
        engine: Engine,
        /// Its process.
        pid: u32,
        /// What it says of its version.
        version: String,
    },
    /// Its process has ended, or never came up.
    Stopped {
        /// The engine.
        engine: Engine,
        /// Why, one line.
        reason: String,
        /// How its process came to its end, where that was seen.
        outcome: Option<StopOutcome>,
        /// When it is started again; `None`: it ended in order.
        restart: Option<Time>,
    },
    /// It is given up: its members fail, and their open turns end.
    Failed {
        /// The engine.
        engine: Engine,
        /// Why, with the next step; the members fail with it.
        reason: String,
        /// How its process came to its end, where that was seen.
        outcome: Option<StopOutcome>,
    },
    /// It wrote to its standard error.
    Logged {
        /// The engine.
        engine: Engine,
        /// The lines.
        lines: Vec<String>,
        /// How many lines were dropped before these, above the rate that is recorded.
        dropped: u64,
    },
    /// Structural events of its own journal, with their cursors. What is at or below the cursor
    /// of the state was recorded before and is passed over.
    Observed {
        /// The engine.
        engine: Engine,
        /// Cursor and event.
        events: Vec<(u64, Value)>,
    },
    /// Some of its events were lost.
    Gap {
        /// The engine.
        engine: Engine,
        /// The member whose events they were, where that is known.
        member: Option<MemberId>,
        /// The turn in which it happened, where that is known.
        turn: Option<TurnId>,
        /// Why, one line.
        reason: String,
        /// In words, how the truth was found all the same.
        reconciled: String,
    },
}
