//! Rows of the read tables: what is kept of messages, turns and approvals for lists and look-ups.
//!
//! A row is written in the same transaction as the event that changes it, so a reader never sees
//! one without the other. Open work lives in [`crate::state::State`]; rows make ended work
//! findable.

use crate::event::{ApprovalRequested, DeliveryQueued, Occasion, Started, TurnFailure};
use crate::id::{MemberId, MessageId, ModelId, ProfileId, ScheduleId, Seq, TurnId};
use crate::model::{Cost, Finish, Usage};
use crate::principal::Principal;
use crate::text::Text;
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// The role in which the member worked; absent in rows of before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileId>,
    /// The model that it used last; absent in rows of before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelId>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// Where an occurrence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OccurrenceState {
    /// It is this process's to run, and could not be started yet.
    Claimed,
    /// It started its work.
    Dispatched,
    /// What it started ended well.
    Completed,
    /// It could not be started in time, or what it started has failed.
    Failed,
    /// It was not run, as its policy says.
    Skipped,
    /// Its time passed without being run.
    Missed,
}

impl OccurrenceState {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Dispatched => "dispatched",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Missed => "missed",
        }
    }
}

/// What is kept of an occurrence; of a row of missed ones, one for all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OccurrenceRow {
    /// Position of its `occurrence.claimed`, or of the `occurrence.skipped` or `occurrence.missed`
    /// of one that was never claimed: its number.
    pub number: Seq,
    /// The schedule.
    pub schedule: ScheduleId,
    /// Its due time; of missed ones, the first.
    pub due: Time,
    /// The last due time, where it stands for several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// For how many it stands.
    pub count: u64,
    /// Where it stands.
    pub state: OccurrenceState,
    /// Why there is one; absent for missed ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occasion: Option<Occasion>,
    /// Attempts to start it.
    pub attempts: u32,
    /// What it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Started>,
    /// The turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// Why it stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was claimed, or found to be missed.
    pub at: Time,
    /// Position of the event that last changed it.
    pub seq: Seq,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It waits for its first attempt.
    Queued,
    /// An attempt is in flight.
    Attempting,
    /// The receiver has it.
    Delivered,
    /// An attempt failed, and another one follows.
    Failed,
    /// Nobody can say whether the receiver has it.
    Unknown,
    /// It is not tried again by itself.
    Dead,
}

impl DeliveryState {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Attempting => "attempting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Dead => "dead",
        }
    }
}

/// What is kept of a delivery. Its attempts are in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveryRow {
    /// What was queued.
    pub queued: DeliveryQueued,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: u32,
    /// When it was queued.
    pub since: Time,
    /// When the next attempt is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Time>,
    /// What the receiver answered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether an attempt may have gone through, though nobody knows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// Position of the event that last changed it.
    pub seq: Seq,
}

/// What one model call used and cost. It stays as it is, whatever becomes of the member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostRow {
    /// Position of the `model.replied` or `session.compacted` that recorded it: its number.
    pub number: Seq,
    /// The turn that it was made for.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// The role in which the member worked.
    pub profile: ProfileId,
    /// The model that answered.
    pub model: ModelId,
    /// The schedule that began the chain of turns and messages that led here, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleId>,
    /// When it was recorded.
    pub at: Time,
    /// Tokens by sort.
    pub usage: Usage,
    /// What it cost; absent where the model has no price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<Cost>,
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
    /// Of the table of occurrences.
    Occurrence(Box<OccurrenceRow>),
    /// Of the table of deliveries.
    Delivery(Box<DeliveryRow>),
    /// Of the table of costs.
    Cost(Box<CostRow>),
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
    /// Occurrences, by the position of the event that claimed them or found them missed.
    Occurrence,
    /// Deliveries, by the number of their id.
    Delivery,
    /// Costs of model calls, by the position of the event that recorded them.
    Cost,
}

impl Row {
    /// Its table.
    pub fn table(&self) -> Table {
        match self {
            Self::Message(_) => Table::Message,
            Self::Turn(_) => Table::Turn,
            Self::Approval(_) => Table::Approval,
            Self::Occurrence(_) => Table::Occurrence,
            Self::Delivery(_) => Table::Delivery,
            Self::Cost(_) => Table::Cost,
        }
    }

    /// The number of its id, which is its key in the table.
    pub fn number(&self) -> Seq {
        match self {
            Self::Message(row) => row.message.0,
            Self::Turn(row) => row.turn.0,
            Self::Approval(row) => row.request.approval.0,
            Self::Occurrence(row) => row.number,
            Self::Delivery(row) => row.queued.delivery.0,
            Self::Cost(row) => row.number,
        }
    }

    /// What it belongs to: a member, a schedule or a route.
    pub fn owner(&self) -> &str {
        match self {
            Self::Message(row) => row.to.as_str(),
            Self::Turn(row) => row.member.as_str(),
            Self::Approval(row) => row.request.member.as_str(),
            Self::Occurrence(row) => row.schedule.as_str(),
            Self::Delivery(row) => &row.queued.route,
            Self::Cost(row) => row.member.as_str(),
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
            Self::Occurrence(row) => row.state.as_str(),
            Self::Delivery(row) => row.state.as_str(),
            Self::Cost(row) => match row.cost_usd {
                Some(_) => "priced",
                None => "unpriced",
            },
        }
    }
}
