//! Events of the mob as a whole.

use crate::id::Seq;
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// A definition came into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MobDefined {
    /// Digest of the definition, `sha256:…`.
    pub digest: String,
    /// Members that it declares.
    pub members: u64,
    /// Profiles that it declares.
    pub profiles: u64,
}

/// A plan was made and is about to be applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MobPlanned {
    /// Digest of the plan, `sha256:…`.
    pub digest: String,
    /// How many steps it has, by verb, e.g. `{"spawn": 3}`.
    pub steps: std::collections::BTreeMap<String, u64>,
}

/// A plan was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MobApplied {
    /// Digest of the plan.
    pub digest: String,
    /// How many steps were done, by verb.
    pub steps: std::collections::BTreeMap<String, u64>,
    /// How many steps failed.
    pub failures: u64,
}

/// All members were retired to start over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MobReset {
    /// Members that were retired.
    pub members: u64,
}

/// The line was stopped: no new turn begins, messages are accepted and wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MobPaused {
    /// Why, in the words of who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The line was started again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MobResumed {}

/// A piece of the journal that is to be forgotten: what lies below a position and is older than a
/// time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Only events below this position.
    pub below: Seq,
    /// Only events older than this.
    pub before: Time,
}

/// Retention forgets the beginning of the journal, except what open work and sessions need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MobTrimmed {
    /// Events that are forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Cut>,
    /// Log lines that are forgotten; their events stay in their places without them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<Cut>,
}
