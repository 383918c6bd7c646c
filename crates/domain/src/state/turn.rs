//! Open turns and messages as the journal leaves them.

use crate::event::{Fence, MessageMode, ToolEffect};
use crate::id::{ApprovalId, CallId, MemberId, MessageId, ModelId, ProfileId, ScheduleId, TurnId};
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
    /// Who began the chain of turns and messages that led here.
    pub origin: Principal,
    /// The schedule that began that chain, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleId>,
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
    /// The turn that it is to join: the one that ran when it came. If that ends first, the message
    /// gets a turn of its own.
    #[serde(default)]
    pub steers: Option<TurnId>,
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
    /// Nobody has looked at it yet, or nothing stops it.
    Owed,
    /// It waits for a decision.
    Pending {
        /// The approval.
        approval: ApprovalId,
    },
    /// It may be made; whether it still may is checked again when it is.
    Approved {
        /// The approval.
        approval: ApprovalId,
        /// Version of the rule that had stopped it.
        policy: String,
    },
    /// It was handed to a runner.
    Running {
        /// What a repeated call does.
        effect: ToolEffect,
    },
    /// It was handed to a runner, and its module asks a person in the middle of it.
    Eliciting {
        /// What a repeated call does.
        effect: ToolEffect,
        /// The approval that carries the question.
        approval: ApprovalId,
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

impl CallState {
    /// Whether the writer has to look at it: nobody has, or it was let pass.
    pub fn is_owed(&self) -> bool {
        match self {
            Self::Owed | Self::Approved { .. } => true,
            Self::Pending { .. }
            | Self::Running { .. }
            | Self::Eliciting { .. }
            | Self::Waiting { .. }
            | Self::Unknown
            | Self::Done => false,
        }
    }

    /// Whether it holds back the other calls of its reply: it was begun and has no end yet. One
    /// that waits for a decision holds back nobody.
    pub fn holds_back(&self) -> bool {
        match self {
            Self::Running { .. }
            | Self::Eliciting { .. }
            | Self::Waiting { .. }
            | Self::Unknown => true,
            Self::Owed | Self::Pending { .. } | Self::Approved { .. } | Self::Done => false,
        }
    }
}

/// A decision by which a call may be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// The approval.
    pub approval: ApprovalId,
    /// Version of the rule that had stopped the call.
    pub policy: String,
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
    /// The decision by which it was begun, where it needed one: who has to make it again under the
    /// same rule is not asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<Pass>,
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
    /// The model that it uses now.
    pub model: ModelId,
    /// The models that it gave up one after the other, each in favour of the next.
    #[serde(default)]
    pub given_up: Vec<ModelId>,
    /// Attempts at this step that were made with models that it gave up.
    #[serde(default)]
    pub attempts_before: u32,
    /// Whose message started it.
    pub from: Principal,
    /// Who began the chain of turns and messages that led here.
    pub origin: Principal,
    /// The schedule that began that chain, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleId>,
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
    /// Whether its answer was given back once, since it did not fit its schema.
    #[serde(default)]
    pub corrected: bool,
    /// Tokens of the summary of its session, which its budget does not count.
    #[serde(default)]
    pub summary_tokens: u64,
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
        self.calls.iter().find(|call| {
            matches!(
                call.state,
                CallState::Waiting { .. }
                    | CallState::Unknown
                    | CallState::Pending { .. }
                    | CallState::Eliciting { .. }
            )
        })
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

    /// Whether the writer has to look at its calls: one can be made, and none holds it back.
    pub fn is_owed(&self) -> bool {
        self.phase == TurnPhase::Calls
            && !self.checkpointed
            && !self.calls.iter().any(|call| call.state.holds_back())
            && self.calls.iter().any(|call| call.state.is_owed())
    }

    /// Whether it works, as opposed to waiting for somebody.
    pub fn is_working(&self) -> bool {
        let moves = || self.is_in_flight() || self.is_owed() || self.waiting_call().is_none();
        !self.checkpointed && moves()
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
