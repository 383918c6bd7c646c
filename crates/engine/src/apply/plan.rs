//! What is wanted, and how far the mob is from it.

use super::edges::edges_for;
use crate::engine::Engine;
use crate::hooks::{HookError, guarded};
use mobkit_domain::definition::Definition;
use mobkit_domain::edge::Edge;
use mobkit_domain::event::{MemberOrigin, MobDefined};
use mobkit_domain::id::{MemberId, MobId, ProfileId};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::plan::{
    Actual, Desired, Known, Plan, PlanStep, Presence, RosterPlan, module_plan, roster_plan,
    route_plan, schedule_plan,
};
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::state::MemberMode;
use mobkit_domain::world::World;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A plan as clients see it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PlanView {
    /// The digest by which it is applied.
    pub digest: String,
    /// Everything that would be done, with the reasons.
    pub steps: Vec<PlanStep>,
    /// How many steps, by verb.
    pub counts: BTreeMap<String, u64>,
    /// Whether there is nothing to do.
    pub empty: bool,
    /// Whether it would retire so many members that it needs force.
    pub needs_force: bool,
}

/// What is wanted, and how far the mob is from it.
pub(super) struct Prepared {
    pub(super) definition: Arc<Definition>,
    pub(super) defined: MobDefined,
    pub(super) desired: Vec<Desired>,
    pub(super) discovered: Option<BTreeSet<Edge>>,
    pub(super) plan: Plan,
}

impl Engine {
    /// What an apply would do now. Changes nothing.
    pub async fn plan(&self) -> Result<PlanView, Refusal> {
        self.phase().check(Verb::Read)?;
        let _single = self.shared.reconcile.lock().await;
        let plan = self.prepare(Value::Null).await?.plan;
        Ok(PlanView {
            digest: plan.digest(),
            steps: plan.outline(),
            counts: plan.steps(),
            empty: plan.is_empty(),
            needs_force: plan.needs_force(),
        })
    }

    /// Asks everybody who has a say, and compares. Changes nothing.
    pub(super) async fn prepare(&self, context: Value) -> Result<Prepared, Refusal> {
        let definition = match &self.shared.source {
            Some(source) => {
                let loaded = guarded("the source of the definition", || source.load()).await;
                Arc::new(
                    loaded
                        .map_err(|e| hook_refusal(&e))?
                        .map_err(definition_refusal)?,
                )
            }
            None => self.view(|world| Arc::clone(&world.definition)),
        };
        if definition.id != *self.mob() {
            return Err(other_mob(self.mob(), &definition.id));
        }
        let mut desired: Vec<Desired> = declared(&definition);
        if let Some(discovery) = &self.shared.hooks.discovery {
            let found = guarded("discovery", || discovery.discover(context)).await;
            let found = found.flatten().map_err(|e| hook_refusal(&e))?;
            let origin = MemberOrigin::Discovery;
            desired.extend(found.into_iter().map(|spec| Desired { spec, origin }));
        }
        let roster = self.roster_for(&definition, &desired)?;
        let ids: Vec<MemberId> = roster.after.keys().cloned().collect();
        let discovered = self.discover_edges(&ids).await?;
        let plan = self.plan_for(&definition, &desired, discovered.as_ref())?;
        let defined = MobDefined {
            digest: definition.digest(),
            members: definition.members.len() as u64,
            profiles: definition.profiles.len() as u64,
        };
        Ok(Prepared {
            definition,
            defined,
            desired,
            discovered,
            plan,
        })
    }

    fn roster_for(
        &self,
        definition: &Definition,
        desired: &[Desired],
    ) -> Result<RosterPlan, Refusal> {
        let profiles = definition.profiles.keys().cloned().collect();
        self.view(|world| {
            let sessions = world.state.sessions.keys().copied().collect();
            let known = Known {
                profiles: &profiles,
                sessions: &sessions,
            };
            Ok(roster_plan(desired, &actual(world, definition), known)?)
        })
    }

    pub(super) fn plan_for(
        &self,
        definition: &Definition,
        desired: &[Desired],
        discovered: Option<&BTreeSet<Edge>>,
    ) -> Result<Plan, Refusal> {
        let roster = self.roster_for(definition, desired)?;
        Ok(self.view(|world| {
            let edges = edges_for(world, definition, discovered, &roster.after);
            Plan::new(
                &definition.digest(),
                &actual(world, definition),
                roster,
                edges,
                module_plan(definition, &world.state.modules),
            )
            .with_routes(route_plan(definition, &world.state.routes))
            .with_schedules(schedule_plan(definition, &world.state.schedules))
        }))
    }
}

fn other_mob(running: &MobId, found: &MobId) -> Refusal {
    Refusal::new(
        RefusalKind::Conflict,
        "definition.other_mob",
        format!("this is the mob {running}, but its definition now says {found}"),
    )
    .hint("the id of a mob never changes; run another mob with a state directory of its own")
}

fn declared(definition: &Definition) -> Vec<Desired> {
    let origin = MemberOrigin::Definition;
    definition
        .members
        .iter()
        .map(|spec| Desired {
            spec: spec.clone(),
            origin,
        })
        .collect()
}

/// Who is there, helpers aside, which are wired to those who delegate to them and to nobody else.
pub(super) fn present(world: &World) -> BTreeMap<MemberId, ProfileId> {
    world
        .state
        .present()
        .filter(|(_, member)| member.helper.is_none())
        .map(|(id, member)| (id.clone(), member.profile.clone()))
        .collect()
}

fn actual(world: &World, definition: &Definition) -> Vec<Actual> {
    let members = world.state.members.iter();
    members
        .map(|(id, member)| Actual {
            id: id.clone(),
            profile: member.profile.clone(),
            profile_changed: world.definition.profiles.get(&member.profile)
                != definition.profiles.get(&member.profile),
            labels: member.labels.clone(),
            context: member.context.clone(),
            additional_instructions: member.additional_instructions.clone(),
            session: member.session,
            origin: member.origin,
            presence: match member.mode {
                MemberMode::Retired => Presence::Retired,
                MemberMode::Retiring => Presence::Retiring,
                _ => Presence::Present,
            },
        })
        .collect()
}

pub(super) fn hook_refusal(error: &HookError) -> Refusal {
    Refusal::new(
        RefusalKind::Unavailable,
        "discovery.failed",
        format!("discovery failed, so nothing was changed: {error}"),
    )
    .hint("mend the source of the members or edges and try again")
}

fn definition_refusal(error: crate::hooks::DefinitionError) -> Refusal {
    Refusal::new(RefusalKind::Invalid, "definition.invalid", error.message)
        .hint("`mobkit check` shows every error with its place")
        .data(serde_json::json!({ "diagnostics": error.diagnostics }))
}
