//! Plan and apply: bringing the mob to what the definition and discovery want.

use crate::engine::Engine;
use crate::hooks::HookError;
use mobkit_domain::command::{
    Command, EdgeCommand, MemberCommand, MobCommand, RuntimeCommand, Submission,
};
use mobkit_domain::definition::Definition;
use mobkit_domain::edge::Edge;
use mobkit_domain::event::{
    EdgeOperation, ErrorEvent, MemberOrigin, MobApplied, MobDefined, MobPlanned, RetireMode,
    UnwireReason,
};
use mobkit_domain::id::MemberId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::plan::{
    Actual, ApplyReport, Desired, EdgeFailure, EdgePlan, EdgeReport, EdgeWorld, Failure, Known,
    Operation, Plan, PlanStep, Presence, RosterPlan, discovered_edges, edge_plan, roster_plan,
    static_edges,
};
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::state::MemberMode;
use mobkit_domain::world::World;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What to insist on when a plan is applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplyOptions {
    /// The digest of the plan that was seen; `None`: whatever the plan is.
    pub digest: Option<String>,
    /// Whether a mass removal is wanted.
    pub force: bool,
}

/// A plan as clients see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
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

/// How to rediscover.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RediscoverMode {
    /// Change what differs.
    #[default]
    Converge,
    /// Retire everybody and spawn all anew.
    Reset,
}

/// What is wanted, and how far the mob is from it.
struct Prepared {
    definition: Arc<Definition>,
    defined: MobDefined,
    desired: Vec<Desired>,
    discovered: Option<BTreeSet<Edge>>,
    plan: Plan,
}

impl Engine {
    /// What an apply would do now. Changes nothing.
    pub async fn plan(&self) -> Result<PlanView, Refusal> {
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

    /// Applies what [`Engine::plan`] shows. One apply runs at a time; others wait.
    ///
    /// A failed step is reported and the rest goes on. What was done stays done after a crash, and
    /// the next apply does the rest.
    pub async fn apply(
        &self,
        actor: &Principal,
        options: &ApplyOptions,
    ) -> Result<ApplyReport, Refusal> {
        self.phase().check(Verb::Mutate)?;
        let _single = self.shared.reconcile.lock().await;
        let prepared = self.prepare(Value::Null).await?;
        prepared.plan.permit(options.digest.as_deref(), options.force)?;
        self.carry_out(actor, prepared).await
    }

    /// The first apply of a start.
    pub(crate) async fn apply_first(&self, context: Value) -> Result<ApplyReport, Refusal> {
        let _single = self.shared.reconcile.lock().await;
        let prepared = self.prepare(context).await?;
        // The definition of a fresh start is what the operator wants; the guard is for surprises
        // from discovery, and a source that is down must not empty the mob at a restart either.
        prepared.plan.permit(None, false)?;
        self.carry_out(&Principal::Runtime, prepared).await
    }

    /// Brings the edges to what the mob file and edge discovery want; the members stay as they are.
    pub async fn reconcile_edges(&self, actor: &Principal) -> Result<EdgeReport, Refusal> {
        self.phase().check(Verb::Mutate)?;
        let _single = self.shared.reconcile.lock().await;
        let definition = self.view(|world| Arc::clone(&world.definition));
        let members = self.view(present);
        let ids: Vec<MemberId> = members.keys().cloned().collect();
        let discovered = self.discover_edges(&ids).await?;
        let report = self.carry_out_edges(actor, &definition, discovered.as_ref()).await;
        if let Some(error) = report.error() {
            self.raise(error).await;
        }
        Ok(report)
    }

    /// Asks discovery again. `None`: there is no discovery.
    ///
    /// If discovery fails, or its answer would retire too many members without `force`, nothing has
    /// changed, and a `rediscover_failure` is raised.
    pub async fn rediscover(
        &self,
        actor: &Principal,
        mode: RediscoverMode,
        force: bool,
    ) -> Result<Option<ApplyReport>, Refusal> {
        self.phase().check(Verb::Mutate)?;
        if self.shared.hooks.discovery.is_none() {
            return Ok(None);
        }
        let _single = self.shared.reconcile.lock().await;
        let prepared = match self.prepare(Value::Null).await {
            Ok(prepared) => prepared.plan.permit(None, force).map(|()| prepared),
            Err(refusal) => Err(refusal),
        };
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(refusal) => {
                self.raise(ErrorEvent::RediscoverFailure { error: refusal.to_string() }).await;
                return Err(refusal);
            }
        };
        if mode == RediscoverMode::Converge {
            return self.carry_out(actor, prepared).await.map(Some);
        }
        let retired: Vec<MemberId> = self.view(|world| present(world).into_keys().collect());
        self.order(actor, Command::Mob(MobCommand::Reset)).await?;
        let Prepared { definition, desired, discovered, .. } = &prepared;
        let plan = self.plan_for(definition, desired, discovered.as_ref())?;
        let mut report = self.carry_out(actor, Prepared { plan, ..prepared }).await?;
        report.retired = retired;
        Ok(Some(report))
    }

    async fn order(
        &self,
        actor: &Principal,
        command: Command,
    ) -> Result<mobkit_domain::command::Answer, Refusal> {
        let internal = *actor == Principal::Runtime;
        let submission = Submission { command, actor: actor.clone(), key: None, trace: None };
        self.request(submission, internal, None).await
    }

    /// Records an error; the error hook gets it from the journal.
    pub async fn raise(&self, error: ErrorEvent) {
        let command = Command::Runtime(RuntimeCommand::Raise(error));
        if let Err(refusal) = self.submit_internal(command).await {
            tracing::error!(%refusal, "an error could not be recorded");
        }
    }

    /// Asks everybody who has a say, and compares. Changes nothing.
    async fn prepare(&self, context: Value) -> Result<Prepared, Refusal> {
        let definition = match &self.shared.source {
            Some(source) => Arc::new(source.load().await.map_err(definition_refusal)?),
            None => self.view(|world| Arc::clone(&world.definition)),
        };
        let mut desired: Vec<Desired> = declared(&definition);
        if let Some(discovery) = &self.shared.hooks.discovery {
            let found = discovery.discover(context).await.map_err(|e| discovery_refusal(&e))?;
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
        Ok(Prepared { definition, defined, desired, discovered, plan })
    }

    async fn discover_edges(
        &self,
        members: &[MemberId],
    ) -> Result<Option<BTreeSet<Edge>>, Refusal> {
        let Some(discovery) = &self.shared.hooks.edge_discovery else { return Ok(None) };
        let found = discovery.edges(members).await.map_err(|e| discovery_refusal(&e))?;
        Ok(Some(discovered_edges(&found)?))
    }

    fn roster_for(
        &self,
        definition: &Definition,
        desired: &[Desired],
    ) -> Result<RosterPlan, Refusal> {
        let profiles = definition.profiles.keys().cloned().collect();
        self.view(|world| {
            let sessions = world.state.sessions.keys().copied().collect();
            let known = Known { profiles: &profiles, sessions: &sessions };
            Ok(roster_plan(desired, &actual(world, definition), known)?)
        })
    }

    fn plan_for(
        &self,
        definition: &Definition,
        desired: &[Desired],
        discovered: Option<&BTreeSet<Edge>>,
    ) -> Result<Plan, Refusal> {
        let roster = self.roster_for(definition, desired)?;
        Ok(self.view(|world| {
            let edges = edges_for(world, definition, discovered, &roster.after);
            Plan::new(&definition.digest(), &actual(world, definition), roster, edges)
        }))
    }

    async fn carry_out(
        &self,
        actor: &Principal,
        prepared: Prepared,
    ) -> Result<ApplyReport, Refusal> {
        let Prepared { definition, defined, discovered, plan, .. } = prepared;
        let digest = plan.digest();
        if !plan.is_empty() {
            let planned = MobPlanned { digest: digest.clone(), steps: plan.steps() };
            self.order(actor, Command::Mob(MobCommand::Planned(planned))).await?;
        }
        let internal = *actor == Principal::Runtime;
        let command = Command::Mob(MobCommand::Define(defined));
        let submission = Submission { command, actor: actor.clone(), key: None, trace: None };
        self.request(submission, internal, Some(Arc::clone(&definition))).await?;
        let mut report = self.carry_out_roster(actor, &plan, digest.clone()).await;
        report.edges = self.carry_out_edges(actor, &definition, discovered.as_ref()).await;
        if !plan.is_empty() {
            let failures = report.failure_count();
            let applied = MobApplied { digest, steps: report.steps(), failures };
            self.order(actor, Command::Mob(MobCommand::Applied(applied))).await?;
        }
        if let Some(error) = report.error() {
            self.raise(error).await;
        }
        let hooks = &self.shared.hooks;
        if let Some(hook) = hooks.post_spawn.as_ref().filter(|_| !report.spawned.is_empty()) {
            hook(report.spawned.clone()).await;
        }
        if let Some(hook) = &hooks.post_reconcile {
            hook(report.clone()).await;
        }
        Ok(report)
    }

    async fn carry_out_roster(
        &self,
        actor: &Principal,
        plan: &Plan,
        digest: String,
    ) -> ApplyReport {
        let roster = plan.roster();
        let mut report = ApplyReport { digest, ..ApplyReport::default() };
        report.retained = roster.retain.iter().map(|r| r.member.clone()).collect();
        let steps = roster_steps(roster);
        let asked = steps.iter().map(|(_, _, command)| {
            self.order(actor, Command::Member(command.clone()))
        });
        let answers = futures::future::join_all(asked).await;
        for ((operation, member, _), answer) in steps.into_iter().zip(answers) {
            if let Err(refusal) = answer {
                if let Some(spawn) = roster.spawn.iter().find(|s| s.spec.id == member) {
                    let profile = spawn.spec.profile.clone();
                    let (member, error) = (member.clone(), refusal.to_string());
                    self.raise(ErrorEvent::SpawnFailure { member, profile, error }).await;
                }
                let object = format!("member/{member}");
                report.failures.push(Failure { object, operation, error: refusal.to_string() });
                continue;
            }
            match operation {
                Operation::Spawn => report.spawned.push(member),
                Operation::Respawn => report.respawned.push(member),
                Operation::Retire => report.retired.push(member),
                _ => report.updated.push(member),
            }
        }
        let respawned: BTreeSet<&MemberId> = report.respawned.iter().collect();
        let kept = report.updated.iter().filter(|m| !respawned.contains(m)).cloned();
        report.retained.extend(kept.collect::<Vec<_>>());
        report.retained.sort();
        report
    }

    async fn carry_out_edges(
        &self,
        actor: &Principal,
        definition: &Definition,
        discovered: Option<&BTreeSet<Edge>>,
    ) -> EdgeReport {
        // Planned again, for the members that are really there by now.
        let plan = self.view(|world| edges_for(world, definition, discovered, &present(world)));
        let mut steps = Vec::new();
        for step in &plan.wire {
            let command = EdgeCommand::Wire { edge: step.edge.clone(), origin: step.origin };
            steps.push((&step.edge, EdgeOperation::Wire, command));
        }
        for step in &plan.unwire {
            let reason = UnwireReason::NotDesired;
            let command = EdgeCommand::Unwire { edge: step.edge.clone(), reason };
            steps.push((&step.edge, EdgeOperation::Unwire, command));
        }
        for edge in &plan.prune {
            let reason = UnwireReason::Pruned;
            let command = EdgeCommand::Unwire { edge: edge.clone(), reason };
            steps.push((edge, EdgeOperation::Unwire, command));
        }
        let asked =
            steps.iter().map(|(_, _, command)| self.order(actor, Command::Edge(command.clone())));
        let answers = futures::future::join_all(asked).await;
        let failures = steps.iter().zip(answers).filter_map(|((edge, operation, _), answer)| {
            let error = answer.err()?.to_string();
            Some(EdgeFailure { edge: (*edge).clone(), operation: *operation, error })
        });
        plan.report(failures.collect())
    }
}

fn declared(definition: &Definition) -> Vec<Desired> {
    let origin = MemberOrigin::Definition;
    definition.members.iter().map(|spec| Desired { spec: spec.clone(), origin }).collect()
}

fn present(world: &World) -> BTreeMap<MemberId, mobkit_domain::id::ProfileId> {
    world.state.present().map(|(id, member)| (id.clone(), member.profile.clone())).collect()
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

fn edges_for(
    world: &World,
    definition: &Definition,
    discovered: Option<&BTreeSet<Edge>>,
    roster: &BTreeMap<MemberId, mobkit_domain::id::ProfileId>,
) -> EdgePlan {
    let wiring = &definition.wiring;
    let declared = static_edges(&wiring.roles, &wiring.edges, roster);
    let present: BTreeSet<MemberId> = roster.keys().cloned().collect();
    edge_plan(&EdgeWorld {
        discovered,
        declared: &declared,
        wired: &world.state.wired,
        managed: &world.state.managed,
        present: &present,
    })
}

fn roster_steps(roster: &RosterPlan) -> Vec<(Operation, MemberId, MemberCommand)> {
    let mut steps = Vec::new();
    for retire in &roster.retire {
        let (member, mode) = (retire.member.clone(), RetireMode::Drain);
        let reason = Some(retire.reason.clone());
        let command = MemberCommand::Retire { member, mode, reason };
        steps.push((Operation::Retire, retire.member.clone(), command));
    }
    for update in &roster.update {
        let command = MemberCommand::Update {
            member: update.member.clone(),
            labels: update.labels.clone(),
            context: update.context.clone(),
            additional_instructions: update.additional_instructions.clone(),
            origin: update.origin,
        };
        steps.push((Operation::Update, update.member.clone(), command));
    }
    for respawn in &roster.respawn {
        let command = MemberCommand::Respawn {
            member: respawn.member.clone(),
            profile: Some(respawn.profile.clone()),
            reason: respawn.reason.clone(),
        };
        steps.push((Operation::Respawn, respawn.member.clone(), command));
    }
    for spawn in &roster.spawn {
        let command = MemberCommand::Spawn {
            spec: Box::new(spawn.spec.clone()),
            origin: spawn.origin,
            ensure: false,
            wire: false,
        };
        steps.push((Operation::Spawn, spawn.spec.id.clone(), command));
    }
    steps
}

fn discovery_refusal(error: &HookError) -> Refusal {
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
