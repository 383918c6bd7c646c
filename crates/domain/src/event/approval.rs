//! Events of approvals and grants.

use crate::definition::{Approver, OnExpiry};
use crate::event::ToolEffect;
use crate::id::{ApprovalId, CallId, GrantId, MemberId, MessageId, TurnId};
use crate::principal::Principal;
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What somebody is asked to decide about a tool call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum Matter {
    /// Whether the call may be made: a gate stopped it.
    Gate {
        /// Pattern over tool names of the gate that matched.
        gate: String,
    },
    /// Whether the call may be made although the definition of the tool has changed since it was
    /// pinned. An approval pins the definition of now.
    Definition {
        /// SHA-256 of the pinned definition.
        before: String,
        /// SHA-256 of the definition of now.
        after: String,
    },
    /// What the module should be told: it asks a person in the middle of the call (in MCP an
    /// elicitation).
    Elicitation {
        /// What it asks.
        message: String,
        /// JSON Schema of the answer.
        schema: Value,
    },
}

/// A tool call waits for a decision. Its place in the journal is its id: `apr-<seq>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalRequested {
    /// The approval.
    pub approval: ApprovalId,
    /// The call.
    pub call: CallId,
    /// The turn, which waits.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// Qualified tool name.
    pub tool: String,
    /// Qualified name of the tool behind the route, where the call is a delivery that a module
    /// sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sink: Option<String>,
    /// Arguments.
    pub args: Value,
    /// What a repeated call does.
    pub effect: ToolEffect,
    /// `sha256:` and the digest of what is decided: canonical JSON of tool, arguments, member,
    /// turn, call, matter and policy.
    pub digest: String,
    /// Version of the rule that stopped the call: a digest of the gate and the tool behind the
    /// route, or of the definitions.
    pub policy: String,
    /// What is to be decided.
    #[serde(flatten)]
    pub matter: Matter,
    /// Why it waits, one line for a person.
    pub why: String,
    /// Who began the chain of turns and messages that led to the call.
    pub origin: Principal,
    /// The messages that the turn answers.
    pub messages: Vec<MessageId>,
    /// Who may decide; any operator where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<Approver>,
    /// Whether `origin` may not decide.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub four_eyes: bool,
    /// When it expires; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
    /// What happens then.
    pub on_expiry: OnExpiry,
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The call is made as it was shown.
    Approve,
    /// The call is not made.
    Deny,
    /// The call is made with other arguments.
    Edit,
}

/// Somebody decided an approval. There is one such event at most for an approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalDecided {
    /// The approval.
    pub approval: ApprovalId,
    /// The call.
    pub call: CallId,
    /// The turn.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// Qualified tool name.
    pub tool: String,
    /// What was decided.
    pub decision: Verdict,
    /// Digest of what was shown.
    pub digest: String,
    /// The arguments instead of those that were shown; of an elicitation, the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Value>,
    /// Why; the agent is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who decided.
    pub by: Principal,
}

/// What the end of its time did to an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    /// The call is not made, and the agent is told that nobody decided in time.
    Denied,
    /// It keeps waiting.
    Held,
    /// There is nothing left to decide: the turn has ended, or the call no longer waits.
    Withdrawn,
}

/// The time of an approval is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalExpired {
    /// The approval.
    pub approval: ApprovalId,
    /// The call.
    pub call: CallId,
    /// The turn.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// Qualified tool name.
    pub tool: String,
    /// What that did.
    pub outcome: Expiry,
    /// Why, one line.
    pub reason: String,
}

/// How long a grant lets calls pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "scope", rename_all = "snake_case")]
pub enum GrantScope {
    /// To the end of the turn.
    Turn {
        /// The turn in which it was given.
        turn: TurnId,
    },
    /// To a time.
    Until {
        /// The time.
        until: Time,
    },
}

/// A permission to make calls without asking again. Its place in the journal is its id:
/// `grant-<seq>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GrantCreated {
    /// The grant.
    pub grant: GrantId,
    /// The approval with which it was given.
    pub approval: ApprovalId,
    /// Whose calls pass.
    pub member: MemberId,
    /// Qualified tool name.
    pub tool: String,
    /// The tool behind the route, which has to be the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sink: Option<String>,
    /// Arguments that must be as they are here; others may be anything.
    pub args: BTreeMap<String, Value>,
    /// Whether there may be no others.
    pub exact: bool,
    /// How long it holds.
    #[serde(flatten)]
    pub scope: GrantScope,
    /// Who gave it.
    pub by: Principal,
}

/// A grant was taken back. One that ends by its scope leaves no event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRevoked {
    /// The grant.
    pub grant: GrantId,
    /// Whose calls passed.
    pub member: MemberId,
    /// Qualified tool name.
    pub tool: String,
    /// Who took it back.
    pub by: Principal,
}
