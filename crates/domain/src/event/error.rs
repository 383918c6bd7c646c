//! Errors that somebody should see, and refused access.

use crate::id::{MemberId, ModuleId, ProfileId, TurnId};
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// What went wrong, as hosts get it through `on_error`. Open for growth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "error_kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorEvent {
    /// A member could not be spawned.
    SpawnFailure {
        /// The member.
        member: MemberId,
        /// Its profile, as it was asked for.
        profile: ProfileId,
        /// Why.
        error: String,
    },
    /// A reconcile left something undone.
    ReconcileIncomplete {
        /// What failed, one line each.
        failures: Vec<String>,
        /// What was skipped, one line each.
        skipped: Vec<String>,
    },
    /// Rediscovery changed nothing, since its source failed or its result looked wrong.
    RediscoverFailure {
        /// Why.
        error: String,
    },
    /// A turn ended without an answer.
    TurnFailed {
        /// The member.
        member: MemberId,
        /// The turn.
        turn: TurnId,
        /// Why, for a program.
        class: super::TurnFailure,
        /// Why, for a person.
        reason: String,
    },
    /// A member was put aside, or its engine lost it.
    MemberCrashed {
        /// The member.
        member: MemberId,
        /// Why.
        error: String,
    },
    /// A turn could not be put aside.
    CheckpointFailure {
        /// The member.
        member: MemberId,
        /// Why.
        error: String,
    },
    /// The journal could not be written.
    JournalFailure {
        /// Why.
        error: String,
    },
    /// A module failed.
    ModuleFailed {
        /// The module.
        module: ModuleId,
        /// Why.
        error: String,
    },
    /// An occurrence did not run.
    ScheduleMissed {
        /// The schedule.
        schedule: String,
        /// When it was due.
        due: Time,
        /// Why.
        reason: String,
    },
    /// A delivery will not be tried again.
    DeliveryDead {
        /// The delivery.
        delivery: String,
        /// Why.
        error: String,
    },
}

impl ErrorEvent {
    /// The turn in which it happened, if it belongs to one.
    pub fn turn(&self) -> Option<TurnId> {
        match self {
            Self::TurnFailed { turn, .. } => Some(*turn),
            _ => None,
        }
    }

    /// One line for a person: the kind, what it is about, and why.
    pub(super) fn summary(&self) -> String {
        let json = serde_json::to_value(self).unwrap_or_default();
        let kind = json["error_kind"].as_str().unwrap_or("unknown");
        let (about, why): (Option<&str>, &str) = match self {
            Self::SpawnFailure { member, error, .. }
            | Self::MemberCrashed { member, error }
            | Self::CheckpointFailure { member, error } => (Some(member.as_str()), error),
            Self::TurnFailed { member, reason, .. } => (Some(member.as_str()), reason),
            Self::ModuleFailed { module, error } => (Some(module.as_str()), error),
            Self::ScheduleMissed {
                schedule, reason, ..
            } => (Some(schedule), reason),
            Self::DeliveryDead { delivery, error } => (Some(delivery), error),
            Self::RediscoverFailure { error } | Self::JournalFailure { error } => (None, error),
            Self::ReconcileIncomplete { failures, skipped } => {
                let (failed, passed) = (failures.len(), skipped.len());
                let first = failures.iter().chain(skipped).next();
                let first = first.map_or("nothing", String::as_str);
                return format!("error: {kind}: {failed} failed, {passed} skipped: {first}");
            }
        };
        match about {
            Some(about) => format!("error: {kind} of {about}: {why}"),
            None => format!("error: {kind}: {why}"),
        }
    }
}

/// Something went wrong that somebody should see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRaised {
    /// What went wrong.
    #[serde(flatten)]
    pub error: ErrorEvent,
}

/// Somebody was not let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessDenied {
    /// What was asked for: an operation or a path.
    pub operation: String,
    /// Stable code of the refusal.
    pub code: String,
    /// Address of the caller, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// How many like it were not recorded one by one since the last record.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_zero(n: &u64) -> bool {
    *n == 0
}
