//! Events of members.

use super::engine::Offers;
use crate::definition::IdleRetire;
use crate::id::{MemberId, ProfileId, SessionId, TurnId};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The fencing token of a member: work that carries an older one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fence {
    /// Counts resets, from 1.
    pub generation: u32,
    /// Counts respawns, from 1.
    pub incarnation: u32,
}

/// Who wants a member to exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberOrigin {
    /// The mob file.
    Definition,
    /// The discovery hook.
    Discovery,
    /// Somebody asked for it by name; a plan never retires it.
    Operator,
    /// A member delegates to it; a plan leaves it alone.
    Helper,
}

/// A member joined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberSpawned {
    /// Its lasting identity.
    pub member: MemberId,
    /// Its role.
    pub profile: ProfileId,
    /// Fencing token.
    #[serde(flatten)]
    pub fence: Fence,
    /// An earlier session that it goes on with; absent: the session that this event begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Data given to the agent.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub context: Value,
    /// Instructions beside those of the profile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_instructions: Vec<String>,
    /// Who wants it.
    pub origin: MemberOrigin,
    /// Whether it waits for its engine before it can work.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub starting: bool,
    /// For whom it works, where it is a helper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub helper: Option<HelperOf>,
}

/// For whom a helper works, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelperOf {
    /// The member that delegates to it.
    pub parent: MemberId,
    /// What its parent calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it is retired if it has nothing to do.
    pub idle_retire: IdleRetire,
}

/// Something about a member changed in place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberUpdated {
    /// The member.
    pub member: MemberId,
    /// Its labels from here on, if they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Its context from here on, if it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Value>,
    /// Its additional instructions from here on, if they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_instructions: Option<Vec<String>>,
    /// Who wants it from here on, if that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<MemberOrigin>,
    /// Its engine reported that it can work now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub engine_started: bool,
    /// What its engine can do beyond running turns, as the engine says from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offers: Option<Offers>,
}

/// A member got fresh process state; its session stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRespawned {
    /// The member.
    pub member: MemberId,
    /// Its role from here on.
    pub profile: ProfileId,
    /// Fencing token from here on.
    #[serde(flatten)]
    pub fence: Fence,
    /// Why.
    pub reason: String,
    /// Whether it waits for its engine before it can work.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub starting: bool,
}

/// A member started over with an empty session, the one that this event begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberReset {
    /// The member.
    pub member: MemberId,
    /// Fencing token from here on.
    #[serde(flatten)]
    pub fence: Fence,
    /// Whether it waits for its engine before it can work.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub starting: bool,
}

/// A member begins no further turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberPaused {
    /// The member.
    pub member: MemberId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The budget for want of which it pauses; absent: somebody asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<String>,
    /// When it goes on by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// A paused, failed or quarantined member works again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberResumed {
    /// The member.
    pub member: MemberId,
}

/// How a member leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetireMode {
    /// It first answers what it has accepted.
    Drain,
    /// Its turn and its waiting messages are cancelled.
    Now,
}

/// A member takes no further message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRetiring {
    /// The member.
    pub member: MemberId,
    /// How it leaves.
    pub mode: RetireMode,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A member has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRetired {
    /// The member.
    pub member: MemberId,
    /// Whether its record is forgotten too; its events stay in the journal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// Why, where somebody or a rule said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A member could not start, or its engine lost it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberFailed {
    /// The member.
    pub member: MemberId,
    /// Why.
    pub error: String,
}

/// A member was put aside since its work kills it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberQuarantined {
    /// The member.
    pub member: MemberId,
    /// The turn that never got on.
    pub turn: TurnId,
    /// Why.
    pub reason: String,
}
