//! The plan of the modules: which are started, stopped, and replaced.

use super::step::{Operation, PlanStep};
use crate::definition::Definition;
use crate::id::ModuleId;
use crate::module::{Need, need};
use crate::state::Module;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A step on a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModuleStep {
    /// The module.
    pub module: ModuleId,
    /// Why.
    pub reason: String,
}

/// What has to be done to the modules. A module is in one list at most; every list is in the order
/// of ids. Who applies it submits [`Converge`](crate::command::ModuleCommand::Converge) for each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ModulePlan {
    /// Modules that are stopped and forgotten.
    pub stop: Vec<ModuleStep>,
    /// Modules whose processes are replaced.
    pub restart: Vec<ModuleStep>,
    /// Modules that are started.
    pub start: Vec<ModuleStep>,
}

/// The difference between the modules that the definition has and those that are there.
///
/// * Defined and not there: start.
/// * Its transport, environment, sandbox, pin or start changed: restart, or start where it does not
///   run. What else is defined of a module is used as it is, without a step.
/// * There and no longer defined: stop.
///
/// One that an operator stopped stays so, and gets the definition of the time when it is started.
pub fn module_plan(definition: &Definition, actual: &BTreeMap<ModuleId, Module>) -> ModulePlan {
    let defined: BTreeMap<_, _> = definition.modules.iter().map(|m| (&m.id, m)).collect();
    let ids: BTreeSet<&ModuleId> = defined.keys().copied().chain(actual.keys()).collect();
    let mut plan = ModulePlan::default();
    for id in ids {
        let Some((need, reason)) = need(defined.get(id).copied(), actual.get(id)) else {
            continue;
        };
        let steps = match need {
            Need::Start => &mut plan.start,
            Need::Stop => &mut plan.stop,
            Need::Restart => &mut plan.restart,
        };
        steps.push(ModuleStep {
            module: id.clone(),
            reason: reason.to_owned(),
        });
    }
    plan
}

impl ModulePlan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.stop.is_empty() && self.restart.is_empty() && self.start.is_empty()
    }

    /// Every step with its verb: stops, restarts, starts.
    pub fn steps(&self) -> impl Iterator<Item = (Operation, &ModuleStep)> {
        let stop = self.stop.iter().map(|step| (Operation::ModuleStop, step));
        let restart = self.restart.iter();
        let restart = restart.map(|step| (Operation::ModuleRestart, step));
        let start = self.start.iter().map(|step| (Operation::ModuleStart, step));
        stop.chain(restart).chain(start)
    }

    /// The steps for people, verb by verb.
    pub(super) fn outline(&self) -> impl Iterator<Item = PlanStep> {
        self.steps().map(|(operation, step)| PlanStep {
            object: format!("module/{}", step.module),
            operation,
            reason: step.reason.clone(),
            survives: None,
        })
    }
}
