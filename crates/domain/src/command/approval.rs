//! Commands about an approval or a grant.

use crate::definition::Role;
use crate::event::Verdict;
use crate::id::{ApprovalId, CallId, GrantId, TurnId};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a grant should let pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "snake_case")]
pub enum GrantScopeRequest {
    /// Calls to the end of the turn.
    Turn,
    /// Calls to the end of the run that the turn belongs to.
    Run,
    /// Calls to a time.
    Until {
        /// The time.
        until: Time,
    },
}

/// A grant as it is asked for together with a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GrantRequest {
    /// How long it holds.
    #[serde(flatten)]
    pub scope: GrantScopeRequest,
    /// Arguments that later calls must have as they are here, others may be anything; absent: all
    /// arguments must be those of the approved call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<BTreeMap<String, Value>>,
}

/// Commands about approvals and grants.
#[derive(Debug, Clone)]
pub enum ApprovalCommand {
    /// Somebody decides.
    Decide {
        /// The approval.
        approval: ApprovalId,
        /// Digest of what was shown.
        digest: String,
        /// What is decided.
        decision: Verdict,
        /// Arguments instead of those that were shown; of an elicitation, the answer.
        args: Option<Value>,
        /// Why.
        reason: Option<String>,
        /// A grant for later calls.
        grant: Option<GrantRequest>,
        /// The roles of who decides, from authentication.
        roles: Vec<Role>,
    },
    /// Take a grant back.
    Revoke {
        /// The grant.
        grant: GrantId,
    },
    /// A module asks a person in the middle of a call.
    Elicit {
        /// The turn.
        turn: TurnId,
        /// The call.
        call: CallId,
        /// What it asks.
        message: String,
        /// JSON Schema of the answer.
        schema: Value,
    },
}
