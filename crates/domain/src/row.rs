//! Rows of the read tables: what is kept of messages, turns and approvals for lists and look-ups.
//!
//! A row is written in the same transaction as the event that changes it, so a reader never sees
//! one without the other. Open work lives in [`crate::state::State`]; rows make ended work
//! findable.

use crate::event::{ApprovalRequested, TurnFailure};
use crate::id::{MemberId, MessageId, Seq, TurnId};
use crate::model::{Cost, Finish, Usage};
use crate::principal::Principal;
use crate::text::Text;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// It waits for its turn.
    Queued,
    /// It is part of a turn; how that ended is the turn's matter.
    Delivered,
    /// It was withdrawn before a turn took it.
    Cancelled,
    /// It outlived its time before a turn took it.
    Expired,
}

/// What is kept of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageRow {
    /// The message; its number is the position of its `message.accepted`, where the content is.
    pub message: MessageId,
    /// Who sent it.
    pub from: Principal,
    /// Whom it is for.
    pub to: MemberId,
    /// Where it stands.
    pub state: MessageState,
    /// When it was accepted.
    pub accepted: Time,
    /// The turn that took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// The sender's own correlation id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// Why it was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Where a turn stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnStatus {
    /// It works.
    Running,
    /// It waits for somebody.
    Waiting,
    /// It was put aside and goes on at the next start.
    Checkpointed,
    /// It ended with an answer.
    Completed,
    /// It ended without an answer.
    Failed,
    /// It was stopped.
    Cancelled,
}

impl TurnStatus {
    /// Whether nothing more will come of the turn.
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// What is kept of a turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TurnRow {
    /// The turn; its number is the position of its `turn.started`.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// Where it stands.
    pub status: TurnStatus,
    /// The messages that it answers.
    pub messages: Vec<MessageId>,
    /// Model calls that were answered.
    pub steps: u32,
    /// The answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
    /// Why the answer may not be whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish: Option<Finish>,
    /// Why it gave no answer, for a program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<TurnFailure>,
    /// Why it gave no answer, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Tokens by sort.
    pub usage: Usage,
    /// Input and output tokens together.
    pub tokens: u64,
    /// What it cost; `null` where a call has no price.
    pub cost_usd: Option<Cost>,
    /// Position of the event that last changed its status.
    pub seq: Seq,
    /// When it began.
    pub started: Time,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
}

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Nobody has decided.
    Pending,
    /// The call was let pass as it was shown.
    Approved,
    /// The call was let pass with other arguments.
    Edited,
    /// The call was refused.
    Denied,
    /// Nobody decided in time, and the call was refused for that.
    Expired,
    /// There was nothing left to decide.
    Withdrawn,
}

impl ApprovalState {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Edited => "edited",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// What is kept of an approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalRow {
    /// What was asked.
    #[serde(flatten)]
    pub request: ApprovalRequested,
    /// Where it stands.
    pub state: ApprovalState,
    /// When it was asked.
    pub requested: Time,
    /// Whether its time is over and it waits on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// When it was decided, or its time was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
    /// Who decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Principal>,
    /// The arguments instead of those that were shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_args: Option<Value>,
    /// Why it was decided so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Position of the event that last changed it.
    pub seq: Seq,
}

/// One row of a read table, whole: it replaces what was kept under its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "table", content = "row", rename_all = "snake_case")]
pub enum Row {
    /// Of the table of messages.
    Message(MessageRow),
    /// Of the table of turns.
    Turn(TurnRow),
    /// Of the table of approvals.
    Approval(Box<ApprovalRow>),
}

/// The read tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Messages, by the number of their id.
    Message,
    /// Turns, by the number of their id.
    Turn,
    /// Approvals, by the number of their id.
    Approval,
}

impl Row {
    /// Its table.
    pub fn table(&self) -> Table {
        match self {
            Self::Message(_) => Table::Message,
            Self::Turn(_) => Table::Turn,
            Self::Approval(_) => Table::Approval,
        }
    }

    /// The number of its id, which is its key in the table.
    pub fn number(&self) -> Seq {
        match self {
            Self::Message(row) => row.message.0,
            Self::Turn(row) => row.turn.0,
            Self::Approval(row) => row.request.approval.0,
        }
    }

    /// The member that it belongs to.
    pub fn member(&self) -> &MemberId {
        match self {
            Self::Message(row) => &row.to,
            Self::Turn(row) => &row.member,
            Self::Approval(row) => &row.request.member,
        }
    }

    /// Where the object stands, as the word that lists filter by.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Message(row) => match row.state {
                MessageState::Queued => "queued",
                MessageState::Delivered => "delivered",
                MessageState::Cancelled => "cancelled",
                MessageState::Expired => "expired",
            },
            Self::Turn(row) => match row.status {
                TurnStatus::Running => "running",
                TurnStatus::Waiting => "waiting",
                TurnStatus::Checkpointed => "checkpointed",
                TurnStatus::Completed => "completed",
                TurnStatus::Failed => "failed",
                TurnStatus::Cancelled => "cancelled",
            },
            Self::Approval(row) => row.state.as_str(),
        }
    }
}
