//! Events of tool calls.

use crate::id::{ApprovalId, CallId, GrantId, MemberId, TurnId};
use crate::text::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a repeated call of a tool does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolEffect {
    /// Nothing: it only looks. Calls of one batch may run side by side.
    Read,
    /// Nothing more than the first time.
    Idempotent,
    /// The effect again; so it is never repeated without a person's word.
    Effect,
}

/// A tool call is about to be made: the intent, recorded before the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolStarted {
    /// Stable id of the call.
    pub call: CallId,
    /// The turn; absent where somebody called the module directly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// Whose turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// Qualified tool name.
    pub tool: String,
    /// Arguments.
    pub args: Value,
    /// What a repeated call does.
    pub effect: ToolEffect,
    /// The approval that let it pass, where one was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
    /// The grant that let it pass, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// The gate that recorded it for audit: its pattern over tool names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<String>,
}

/// A tool call gave a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolFinished {
    /// The call.
    pub call: CallId,
    /// The turn; absent where somebody called the module directly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// Whose turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// Qualified tool name.
    pub tool: String,
    /// What the model is told.
    pub result: Text,
}

/// A tool call failed; the model is told why and the turn goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolFailed {
    /// The call.
    pub call: CallId,
    /// The turn; absent where somebody called the module directly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// Whose turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// Qualified tool name.
    pub tool: String,
    /// Arguments.
    pub args: Value,
    /// What the model is told.
    pub reason: String,
}

/// A tool call was not made; the model is told why and the turn goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolRefused {
    /// The call.
    pub call: CallId,
    /// The turn.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// Qualified tool name.
    pub tool: String,
    /// Arguments.
    pub args: Value,
    /// Stable code of the refusal.
    pub code: String,
    /// What the model is told.
    pub reason: String,
}

/// The process died during a call with an effect, or the module that made it was lost: nobody can
/// say whether it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolUnknown {
    /// The call.
    pub call: CallId,
    /// The turn, which waits; absent where somebody called the module directly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// Whose turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// Qualified tool name.
    pub tool: String,
    /// Arguments.
    pub args: Value,
    /// Why nobody can say, e.g. how the module ended; what the person who resolves it reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What an operator says of an unknown call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResolveHow {
    /// It happened; the result is given.
    Happened,
    /// It did not happen; it is made now.
    Run,
    /// Nobody knows; the turn ends.
    GiveUp,
}

/// An operator said what came of an unknown tool call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolResolved {
    /// The call.
    pub call: CallId,
    /// The turn.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// Qualified tool name.
    pub tool: String,
    /// Arguments.
    pub args: Value,
    /// What was said.
    pub how: ResolveHow,
    /// The result, where it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Text>,
}
