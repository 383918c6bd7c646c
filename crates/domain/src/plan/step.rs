//! Steps: one line of a plan for a person or a program to read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a step does to its object.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A member joins.
    Spawn,
    /// A member stays as it is.
    Retain,
    /// A member changes in place.
    Update,
    /// A member gets fresh process state under another or a changed profile.
    Respawn,
    /// A member leaves.
    Retire,
    /// Two members may message each other.
    Wire,
    /// Two members may no longer message each other.
    Unwire,
    /// Edge discovery forgets an edge of its own that is gone or has lost an end.
    Prune,
    /// A module is started.
    ModuleStart,
    /// A module is stopped and forgotten.
    ModuleStop,
    /// The process of a module is replaced.
    ModuleRestart,
    /// A schedule is defined, or changed.
    ScheduleDefine,
    /// A schedule is forgotten.
    ScheduleRemove,
    /// A route is defined, or changed.
    RouteDefine,
    /// A route is forgotten.
    RouteRemove,
}

impl Operation {
    /// The verb, as on the wire and as key of step counts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spawn => "spawn",
            Self::Retain => "retain",
            Self::Update => "update",
            Self::Respawn => "respawn",
            Self::Retire => "retire",
            Self::Wire => "wire",
            Self::Unwire => "unwire",
            Self::Prune => "prune",
            Self::ModuleStart => "module_start",
            Self::ModuleStop => "module_stop",
            Self::ModuleRestart => "module_restart",
            Self::ScheduleDefine => "schedule_define",
            Self::ScheduleRemove => "schedule_remove",
            Self::RouteDefine => "route_define",
            Self::RouteRemove => "route_remove",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is left of a member's conversation after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Survives {
    /// Its session: it goes on where it was.
    Session,
    /// Nothing: it begins with an empty session, or is gone. What was said stays in the journal.
    Nothing,
}

/// One line of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanStep {
    /// What it is about: `member/<id>`, `edge/<a>+<b>`, `module/<id>`, `route/<id>` or
    /// `schedule/<id>`.
    pub object: String,
    /// What is done to it.
    pub operation: Operation,
    /// Why.
    pub reason: String,
    /// What is left of the conversation; absent for all but members, since nothing
    /// else has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub survives: Option<Survives>,
}
