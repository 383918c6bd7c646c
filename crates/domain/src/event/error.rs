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
