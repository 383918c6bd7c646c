//! Events of messages.

use crate::id::{CallId, MemberId, MessageId, ScheduleId, TurnId};
use crate::principal::Principal;
use crate::text::{Part, Text};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a message does while a turn runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageMode {
    /// It waits and gets a turn of its own.
    #[default]
    Queue,
    /// It joins the running turn at the next step boundary.
    Steer,
    /// It stops the running turn.
    Interrupt,
    /// It is refused.
    Reject,
}

/// Input for a member is durable. Its place in the journal is its id: `msg-<seq>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageAccepted {
    /// The message.
    pub message: MessageId,
    /// Who sent it.
    pub from: Principal,
    /// Who began the chain of turns and messages that led here; absent: `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Principal>,
    /// The schedule that began that chain, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleId>,
    /// Whom it is for.
    pub to: MemberId,
    /// What it says.
    pub text: Text,
    /// The parts as they were given; empty for plain text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// What it does while a turn runs.
    #[serde(default, skip_serializing_if = "is_queue")]
    pub mode: MessageMode,
    /// The sender's own correlation id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// When it is dropped if it still waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
    /// The tool call that waits for the answer, when a peer asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_queue(mode: &MessageMode) -> bool {
    *mode == MessageMode::Queue
}

/// A message became part of a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageDelivered {
    /// The message.
    pub message: MessageId,
    /// Its receiver.
    pub member: MemberId,
    /// The turn that it starts or joins.
    pub turn: TurnId,
}

/// A message joined the turn that ran when it came: the model sees it from its next step on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSteered {
    /// The message.
    pub message: MessageId,
    /// Its receiver.
    pub member: MemberId,
    /// The turn that it joined, and that answers it.
    pub turn: TurnId,
}

/// A waiting message was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageCancelled {
    /// The message.
    pub message: MessageId,
    /// Its receiver.
    pub member: MemberId,
    /// Why.
    pub reason: String,
}

/// A waiting message outlived its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageExpired {
    /// The message.
    pub message: MessageId,
    /// Its receiver.
    pub member: MemberId,
}

/// A member tried to send where it may not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRefused {
    /// The sender.
    pub from: MemberId,
    /// Whom it was for, as the sender wrote it.
    pub to: String,
    /// Stable code of the refusal.
    pub code: String,
    /// Why.
    pub reason: String,
}
