//! The lossy lane: text as it is being written. Never stored, never truth.

use mobkit_domain::id::{MemberId, TurnId};
use serde::{Deserialize, Serialize};

/// How many deltas a reader may lag behind before it loses the oldest.
pub const DELTAS_MAX: usize = 1_024;

/// What a delta is a piece of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeltaKind {
    /// The answer.
    Text,
    /// What the model thinks on the way.
    Reasoning,
}

/// A piece of text that a model just wrote. The recorded reply has it whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// Whose turn.
    pub member: MemberId,
    /// The turn.
    pub turn: TurnId,
    /// Which model call of the turn, from 1.
    pub step: u32,
    /// Which attempt at that step: text of an earlier one is void.
    pub attempt: u32,
    /// What it is a piece of.
    pub kind: DeltaKind,
    /// The piece.
    pub text: String,
}
