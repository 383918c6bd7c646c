//! The plan of the schedules: which are defined and which are forgotten.

use super::step::{Operation, PlanStep};
use crate::definition::Definition;
use crate::id::ScheduleId;
use crate::schedule::{Need, need};
use crate::state::Schedule;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A step on a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScheduleStep {
    /// The schedule.
    pub schedule: ScheduleId,
    /// Why.
    pub reason: String,
}

/// What has to be done to the schedules. A schedule is in one list at most; both are in the order
/// of ids. Who applies it submits [`Converge`](crate::command::ScheduleCommand::Converge) for each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SchedulePlan {
    /// Schedules that are forgotten.
    pub remove: Vec<ScheduleStep>,
    /// Schedules that are new, or changed.
    pub define: Vec<ScheduleStep>,
}

/// The difference between the schedules that the definition has and those that are there. Those of
/// callers, members and hosts are left alone, unless the definition has one of the same id.
pub fn schedule_plan(
    definition: &Definition,
    actual: &BTreeMap<ScheduleId, Schedule>,
) -> SchedulePlan {
    let defined = definition.schedules.iter().map(|found| (&found.id, found));
    let defined: BTreeMap<_, _> = defined.collect();
    let ids: BTreeSet<&ScheduleId> = defined.keys().copied().chain(actual.keys()).collect();
    let mut plan = SchedulePlan::default();
    for id in ids {
        let Some((need, reason)) = need(defined.get(id).copied(), actual.get(id)) else {
            continue;
        };
        let steps = match need {
            Need::Define => &mut plan.define,
            Need::Remove => &mut plan.remove,
        };
        steps.push(ScheduleStep {
            schedule: id.clone(),
            reason: reason.to_owned(),
        });
    }
    plan
}

impl SchedulePlan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.define.is_empty()
    }

    /// Every step with its verb: what is forgotten, then what is defined.
    pub fn steps(&self) -> impl Iterator<Item = (Operation, &ScheduleStep)> {
        let remove = self.remove.iter();
        let remove = remove.map(|step| (Operation::ScheduleRemove, step));
        let define = self.define.iter();
        remove.chain(define.map(|step| (Operation::ScheduleDefine, step)))
    }

    /// The steps for people, verb by verb.
    pub(super) fn outline(&self) -> impl Iterator<Item = PlanStep> {
        self.steps().map(|(operation, step)| PlanStep {
            object: format!("schedule/{}", step.schedule),
            operation,
            reason: step.reason.clone(),
            survives: None,
        })
    }
}
