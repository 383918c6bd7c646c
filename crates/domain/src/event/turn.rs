//! Events of turns and model calls.

use super::member::Fence;
use crate::id::{ApprovalId, CallId, MemberId, MessageId, ModelId, ProfileId, ScheduleId, TurnId};
use crate::model::{Cost, FailureClass, Finish, Usage};
use crate::principal::Principal;
use crate::text::Text;
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A turn began. Its place in the journal is its id: `turn-<seq>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnStarted {
    /// The turn.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// The messages that started it.
    pub messages: Vec<MessageId>,
    /// Fencing token of the member.
    #[serde(flatten)]
    pub fence: Fence,
    /// The role in which the member works.
    pub profile: ProfileId,
    /// The model that it uses.
    pub model: ModelId,
    /// Whose message started it.
    pub from: Principal,
    /// Who began the chain of turns and messages that led here; absent: `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Principal>,
    /// The schedule that began that chain, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleId>,
    /// Whether an external engine runs it as a whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// Whether its calls have no price, so that nobody can say what it costs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpriced: bool,
}

/// Why a turn had stopped whose engine ended under it, while this process went on.
pub const ENGINE_LOST: &str = "engine";

/// A turn went on after a restart or a respawn, or since its engine is there again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnResumed {
    /// The turn.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// The step that it goes on with.
    pub step: u32,
    /// How often it was interrupted since it last got on.
    pub recoveries: u32,
    /// Why it had stopped: `checkpoint`, `crash`, `respawn` or `engine` (it ended under the turn).
    pub reason: String,
}

/// Whom a turn waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitingFor {
    /// The answer of another member.
    Peer,
    /// A person who says what came of a tool call.
    Operator,
    /// A person who decides about a tool call.
    Approval,
}

/// A turn waits for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnWaiting {
    /// The turn.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// Whom it waits for.
    pub on: WaitingFor,
    /// The tool call whose end it waits for.
    pub call: CallId,
    /// The member that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<MemberId>,
    /// The message with which it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// The approval that it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
}

/// A turn ended with an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TurnCompleted {
    /// The turn.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// The messages that it answers.
    pub messages: Vec<MessageId>,
    /// The answer.
    pub text: Text,
    /// The answer as data, where the profile asks for a schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// Why the answer may not be whole; absent: the model had said everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish: Option<Finish>,
    /// Model calls that were answered.
    pub steps: u32,
    /// Tokens of all its calls.
    pub usage: Usage,
    /// What it cost; absent where a call has no price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<Cost>,
}

/// The answer of a turn did not fit the schema that its profile asks for: the model is told what is
/// wrong, and asked once more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnCorrected {
    /// The turn.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// The model call whose answer did not fit, from 1.
    pub step: u32,
    /// What is wrong with it.
    pub reason: String,
}

/// Why a turn gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TurnFailure {
    /// The model could not be called.
    Model,
    /// The budget of the profile was used up.
    Budget,
    /// It was interrupted too often without getting on.
    Quarantined,
    /// The engine lost it.
    Engine,
    /// The profile or model of the member no longer exists.
    Definition,
    /// The answer did not fit the output schema, and did not when it was asked for again.
    OutputSchema,
    /// An operator gave up on a tool call whose outcome is unknown.
    Tool,
}

/// A turn ended without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnFailed {
    /// The turn.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// The messages that stay without an answer.
    pub messages: Vec<MessageId>,
    /// Why, for a program.
    pub class: TurnFailure,
    /// Why, for a person.
    pub reason: String,
    /// Model calls that were answered.
    pub steps: u32,
    /// Tokens of all its calls.
    pub usage: Usage,
    /// What it cost; absent where a call has no price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<Cost>,
}

/// A turn was stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnCancelled {
    /// The turn.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// The messages that stay without an answer.
    pub messages: Vec<MessageId>,
    /// Why.
    pub reason: String,
    /// Model calls that were answered.
    pub steps: u32,
    /// Tokens of all its calls.
    pub usage: Usage,
    /// What it cost; absent where a call has no price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<Cost>,
}

/// A turn was put aside at a step boundary, to go on at the next start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnCheckpointed {
    /// The turn.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// The step that comes next.
    pub step: u32,
}

/// A model answered. Recorded before anything follows from it, so no answer is paid for twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelReplied {
    /// The turn.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// Which model call of the turn, from 1.
    pub step: u32,
    /// Which attempt at that step, from 1.
    pub attempt: u32,
    /// The model entry of the mob file that answered; its price is what the call cost.
    pub model: ModelId,
    /// What it said; may be empty beside calls.
    pub text: Text,
    /// Tool calls in the order in which the model gave them.
    #[serde(default)]
    pub calls: Vec<RecordedCall>,
    /// Tokens.
    pub usage: Usage,
    /// What it cost; absent where the model has no price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<Cost>,
    /// Why it stopped.
    pub finish: Finish,
    /// From the request to the last byte, in milliseconds.
    pub latency_ms: u64,
    /// What the provider wants back unchanged in the next call of the same turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry: Option<Value>,
    /// The original event of an external engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Value>,
}

/// A tool call of a model reply, with its stable id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordedCall {
    /// Stable id.
    pub call: CallId,
    /// Qualified tool name.
    pub tool: String,
    /// Arguments as the model gave them.
    pub args: Value,
    /// The provider's own id of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
}

/// An attempt to call a model failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFailed {
    /// The turn.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// Which model call of the turn, from 1.
    pub step: u32,
    /// Which attempt at that step, from 1.
    pub attempt: u32,
    /// The model entry of the mob file.
    pub model: ModelId,
    /// What sort of failure.
    pub class: FailureClass,
    /// One line for a person; never holds a part of a key.
    pub reason: String,
    /// When the next attempt is made; absent: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Time>,
    /// The model that makes the next attempt, and the rest of the turn, in place of this one;
    /// absent: it is the same model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<ModelId>,
    /// From the request to the failure, in milliseconds.
    pub latency_ms: u64,
}
