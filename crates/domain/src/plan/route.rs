//! The plan of the routes: which are defined and which are forgotten.

use super::step::{Operation, PlanStep};
use crate::definition::Definition;
use crate::delivery::{RouteNeed, route_need};
use crate::id::RouteId;
use crate::state::Route;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A step on a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteStep {
    /// The route.
    pub route: RouteId,
    /// Why.
    pub reason: String,
}

/// What has to be done to the routes. A route is in one list at most; both are in the order
/// of ids. Who applies it submits
/// [`RouteConverge`](crate::command::DeliveryCommand::RouteConverge) for each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RoutePlan {
    /// Routes that are forgotten.
    pub remove: Vec<RouteStep>,
    /// Routes that are new, or changed.
    pub define: Vec<RouteStep>,
}

/// The difference between the routes that the definition has and those that are there. Those of
/// callers are left alone, unless the definition has one of the same id.
pub fn route_plan(definition: &Definition, actual: &BTreeMap<RouteId, Route>) -> RoutePlan {
    let defined = definition.routes.iter().map(|found| (&found.id, found));
    let defined: BTreeMap<_, _> = defined.collect();
    let ids: BTreeSet<&RouteId> = defined.keys().copied().chain(actual.keys()).collect();
    let mut plan = RoutePlan::default();
    for id in ids {
        let Some((need, reason)) = route_need(defined.get(id).copied(), actual.get(id)) else {
            continue;
        };
        let steps = match need {
            RouteNeed::Define => &mut plan.define,
            RouteNeed::Remove => &mut plan.remove,
        };
        steps.push(RouteStep {
            route: id.clone(),
            reason: reason.to_owned(),
        });
    }
    plan
}

impl RoutePlan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.define.is_empty()
    }

    /// Every step with its verb: what is forgotten, then what is defined.
    pub fn steps(&self) -> impl Iterator<Item = (Operation, &RouteStep)> {
        let remove = self.remove.iter();
        let remove = remove.map(|step| (Operation::RouteRemove, step));
        let define = self.define.iter();
        remove.chain(define.map(|step| (Operation::RouteDefine, step)))
    }

    /// The steps for people, verb by verb.
    pub(super) fn outline(&self) -> impl Iterator<Item = PlanStep> {
        self.steps().map(|(operation, step)| PlanStep {
            object: format!("route/{}", step.route),
            operation,
            reason: step.reason.clone(),
            survives: None,
        })
    }
}
