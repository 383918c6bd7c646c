//! The plan of a mob: roster, edges and modules together, with the digest by which it is applied.

use super::edges::EdgePlan;
use super::module::ModulePlan;
use super::report::count;
use super::roster::{Actual, RosterPlan};
use super::route::RoutePlan;
use super::schedule::SchedulePlan;
use super::step::{Operation, PlanStep};
use crate::canonical::{canonical_json, sha256_hex};
use crate::event::MemberOrigin;
use crate::refusal::{Refusal, RefusalKind};
use serde_json::json;
use std::collections::BTreeMap;

/// Everything that has to be done to a mob.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    roster: RosterPlan,
    edges: EdgePlan,
    modules: ModulePlan,
    routes: RoutePlan,
    schedules: SchedulePlan,
    digest: String,
}

/// Whether retiring `retire` of `present` members needs force: more than one, and more than half.
pub fn mass_removal(present: usize, retire: usize) -> bool {
    retire > 1 && retire > present / 2
}

impl Plan {
    /// A plan of these steps. `definition` is the digest of the definition and `actual` the
    /// roster that the plan was made of, in any order: they are part of the digest, helpers aside,
    /// which come and go meanwhile.
    pub fn new(
        definition: &str,
        actual: &[Actual],
        roster: RosterPlan,
        edges: EdgePlan,
        modules: ModulePlan,
    ) -> Self {
        let planned = actual.iter().filter(|a| a.origin != MemberOrigin::Helper);
        let actual: BTreeMap<_, _> = planned.map(|a| (&a.id, a)).collect();
        let basis = json!({
            "definition": definition, "actual": actual, "roster": roster, "edges": edges,
            "modules": modules,
        });
        let digest = format!("sha256:{}", sha256_hex(canonical_json(&basis)));
        Self {
            roster,
            edges,
            modules,
            routes: RoutePlan::default(),
            schedules: SchedulePlan::default(),
            digest,
        }
    }

    /// The plan with what has to be done to the schedules, which is part of its digest.
    #[must_use]
    pub fn with_schedules(self, schedules: SchedulePlan) -> Self {
        let digest = if schedules.is_empty() {
            self.digest
        } else {
            let basis = json!({ "digest": self.digest, "schedules": schedules });
            format!("sha256:{}", sha256_hex(canonical_json(&basis)))
        };
        Self {
            schedules,
            digest,
            ..self
        }
    }

    /// The plan with what has to be done to the routes, which is part of its digest.
    #[must_use]
    pub fn with_routes(self, routes: RoutePlan) -> Self {
        let digest = if routes.is_empty() {
            self.digest
        } else {
            let basis = json!({ "digest": self.digest, "routes": routes });
            format!("sha256:{}", sha256_hex(canonical_json(&basis)))
        };
        Self {
            routes,
            digest,
            ..self
        }
    }

    /// What has to be done to the roster.
    pub fn roster(&self) -> &RosterPlan {
        &self.roster
    }

    /// What has to be done to the edges, as far as it can be said before the roster steps.
    pub fn edges(&self) -> &EdgePlan {
        &self.edges
    }

    /// What has to be done to the modules.
    pub fn modules(&self) -> &ModulePlan {
        &self.modules
    }

    /// What has to be done to the routes.
    pub fn routes(&self) -> &RoutePlan {
        &self.routes
    }

    /// What has to be done to the schedules.
    pub fn schedules(&self) -> &SchedulePlan {
        &self.schedules
    }

    /// `sha256:…` over everything that would be done, the definition and the roster that it was
    /// made of. A world that differs in any of them gives another digest.
    pub fn digest(&self) -> String {
        self.digest.clone()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        let members = self.roster.is_empty() && self.edges.is_empty();
        let outside = self.routes.is_empty() && self.schedules.is_empty();
        members && self.modules.is_empty() && outside
    }

    /// How many steps the plan has, by verb; a verb without a step is left out.
    pub fn steps(&self) -> BTreeMap<String, u64> {
        count([
            (Operation::Spawn, self.roster.spawn.len()),
            (Operation::Retain, self.roster.retain.len()),
            (Operation::Update, self.roster.update.len()),
            (Operation::Respawn, self.roster.respawn.len()),
            (Operation::Retire, self.roster.retire.len()),
            (Operation::Wire, self.edges.wire.len()),
            (Operation::Unwire, self.edges.unwire.len()),
            (Operation::Prune, self.edges.prune.len()),
            (Operation::ModuleStart, self.modules.start.len()),
            (Operation::ModuleStop, self.modules.stop.len()),
            (Operation::ModuleRestart, self.modules.restart.len()),
            (Operation::RouteDefine, self.routes.define.len()),
            (Operation::RouteRemove, self.routes.remove.len()),
            (Operation::ScheduleDefine, self.schedules.define.len()),
            (Operation::ScheduleRemove, self.schedules.remove.len()),
        ])
    }

    /// Every step with its reason: members, edges, modules, routes, schedules, verb by
    /// verb, each in the order of ids.
    pub fn outline(&self) -> Vec<PlanStep> {
        let members_and_edges = self.roster.outline().chain(self.edges.outline());
        let modules = self.modules.outline();
        let (routes, schedules) = (self.routes.outline(), self.schedules.outline());
        let members_to_modules = members_and_edges.chain(modules);
        members_to_modules.chain(routes).chain(schedules).collect()
    }

    /// Whether the plan retires so many members that it needs force.
    pub fn needs_force(&self) -> bool {
        mass_removal(self.roster.present, self.roster.leaving())
    }

    /// Refuses to apply the plan where the world has moved on since the caller saw `digest`
    /// (`plan.stale`), and a mass removal without force (`plan.mass_removal`).
    pub fn permit(&self, digest: Option<&str>, force: bool) -> Result<(), Refusal> {
        if let Some(seen) = digest.filter(|seen| *seen != self.digest) {
            let message = "the mob has changed since this plan was made";
            return Err(Refusal::new(RefusalKind::Conflict, "plan.stale", message)
                .hint("plan again, look at the steps and apply the digest of that plan")
                .data(json!({ "digest": seen, "current": self.digest })));
        }
        if self.needs_force() && !force {
            let (retire, present) = (self.roster.leaving(), self.roster.present);
            let message = format!("this would retire {retire} of {present} members");
            return Err(
                Refusal::new(RefusalKind::Conflict, "plan.mass_removal", message)
                    .hint("if that is what you want, repeat it with force")
                    .data(json!({ "retire": retire, "present": present })),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
