//! Open turns and messages as the journal leaves them.

use crate::event::{Fence, MessageMode, ToolEffect};
use crate::id::{CallId, MemberId, MessageId, ModelId, ProfileId, TurnId};
use crate::model::{Cost, Finish, Usage};
use crate::principal::Principal;
use crate::row::TurnStatus;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A message that waits or is part of an open turn. What it says is in the journal, at its
/// position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who sent it.
    pub from: Principal,
    /// Whom it is for.
    pub to: MemberId,
    /// What it does while a turn runs.
    pub mode: MessageMode,
    /// When it is dropped if it still waits.
    pub expires: Option<Time>,
    /// The tool call that waits for the answer.
    pub call: Option<CallId>,
    /// When it was accepted.
    pub accepted: Time,
    /// The sender's own correlation id.
    pub correlation: Option<String>,
    /// The turn that took it.
    pub turn: Option<TurnId>,
}

/// What a turn does next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnPhase {
    /// A model call is owed or in flight.
    Model {
        /// Which attempt, from 1.
        attempt: u32,
        /// Not before this time.
        not_before: Time,
    },
    /// The calls of the last reply are worked off.
    Calls,
    /// An external engine has it.
    External,
}

/// Where a tool call stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// Nobody has looked at it yet.
    Owed,
    /// It was handed to a runner.
    Running {
        /// What a repeated call does.
        effect: ToolEffect,
    },
    /// A peer was asked.
    Waiting {
        /// Whom.
        peer: MemberId,
        /// With which message.
        message: MessageId,
    },
    /// The process died in it; an operator must say what came of it.
    Unknown,
    /// Its outcome is recorded.
    Done,
}

/// A tool call of the last reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Stable id.
    pub id: CallId,
    /// Qualified tool name.
    pub tool: String,
    /// Arguments.
    pub args: Value,
    /// Where it stands.
    pub state: CallState,
}

/// A turn that has not ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts that do not depend on each other"
)]
pub struct Turn {
    /// Whose turn.
    pub member: MemberId,
    /// The messages that it answers.
    pub messages: Vec<MessageId>,
    /// Fencing token under which it works.
    pub fence: Fence,
    /// The role in which the member works.
    pub profile: ProfileId,
    /// The model that it uses.
    pub model: ModelId,
    /// Whose message started it.
    pub from: Principal,
    /// When it began.
    pub started: Time,
    /// The model call that comes next or is in flight, from 1.
    pub step: u32,
    /// What it does next.
    pub phase: TurnPhase,
    /// The calls of the last reply.
    pub calls: Vec<Call>,
    /// Whether an external engine runs it as a whole.
    pub external: bool,
    /// How often it was interrupted since it last got on.
    pub recoveries: u32,
    /// Whether it was put aside.
    pub checkpointed: bool,
    /// Tokens of all its calls.
    pub usage: Usage,
    /// What the priced calls cost.
    pub cost: Cost,
    /// Whether its calls have no price, or one had none.
    pub unpriced: bool,
    /// Why the last reply without calls may not be whole.
    #[serde(default)]
    pub finish: Option<Finish>,
    /// Whether it is counted in `State::working`.
    pub(super) counted: bool,
}

impl Turn {
    /// Model calls that were answered.
    pub fn steps(&self) -> u32 {
        match self.phase {
            TurnPhase::Model { .. } => self.step - 1,
            TurnPhase::Calls | TurnPhase::External => self.step,
        }
    }

    /// What its calls cost; `None` where one has no price.
    pub fn cost_usd(&self) -> Option<Cost> {
        (!self.unpriced).then_some(self.cost)
    }

    /// The call that a person or a peer has to end, if the turn waits for one.
    pub fn waiting_call(&self) -> Option<&Call> {
        self.calls
            .iter()
            .find(|call| matches!(call.state, CallState::Waiting { .. } | CallState::Unknown))
    }

    /// Whether a runner works for it, or will.
    pub fn is_in_flight(&self) -> bool {
        match self.phase {
            TurnPhase::Model { .. } | TurnPhase::External => true,
            TurnPhase::Calls => self
                .calls
                .iter()
                .any(|call| matches!(call.state, CallState::Running { .. })),
        }
    }

    /// Whether it works, as opposed to waiting for somebody.
    pub fn is_working(&self) -> bool {
        !self.checkpointed && (self.is_in_flight() || self.waiting_call().is_none())
    }

    /// Where it stands.
    pub fn status(&self) -> TurnStatus {
        if self.checkpointed {
            TurnStatus::Checkpointed
        } else if self.is_working() {
            TurnStatus::Running
        } else {
            TurnStatus::Waiting
        }
    }
}
