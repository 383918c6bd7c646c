//! The lossy lane: text as it is being written, and how far tool calls are. Never stored, never
//! truth.

use crate::engine::Engine;
use mobkit_domain::id::{CallId, MemberId, TurnId};
use mobkit_domain::text::Text;
use serde::{Deserialize, Serialize};

/// How many deltas a reader may lag behind before it loses the oldest.
pub const DELTAS_MAX: usize = 1_024;
/// How long the text of a progress report may be, in characters.
const PROGRESS_CHARS_MAX: usize = 1_000;

/// What a delta is a piece of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeltaKind {
    /// The answer.
    Text,
    /// What the model thinks on the way.
    Reasoning,
    /// How far a tool call is, as its module says; each report replaces the one before.
    Progress,
}

/// A piece of text that a model just wrote, which the recorded reply has whole; or a word on a tool
/// call that is under way.
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
    /// The tool call that it is about; absent for text of a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// What it is a piece of.
    pub kind: DeltaKind,
    /// The piece.
    pub text: String,
}

impl Engine {
    /// Sends text to readers of the lossy lane; without readers it is gone.
    pub fn delta(&self, delta: Delta) {
        // Nobody listening is no error.
        let _ = self.shared.deltas.send(delta);
    }

    /// Shows readers of the lossy lane how far a tool call is: one line, cut at 1,000 characters.
    /// Nothing is shown once the turn has ended.
    pub fn progress(&self, turn: TurnId, call: CallId, text: &str) {
        let found = self.view(|world| {
            let turn = world.state.turns.get(&turn)?;
            Some((turn.member.clone(), turn.step))
        });
        let Some((member, step)) = found else {
            return;
        };
        self.delta(Delta {
            member,
            turn,
            step,
            attempt: 1,
            call: Some(call),
            kind: DeltaKind::Progress,
            text: Text::from(text).excerpt(PROGRESS_CHARS_MAX),
        });
    }
}
