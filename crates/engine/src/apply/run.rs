//! Applying a plan, one at a time.

use super::plan::Prepared;
use crate::engine::Engine;
use crate::hooks::guarded;
use mobkit_domain::command::{Answer, Command, MobCommand, RuntimeCommand, Submission};
use mobkit_domain::definition::Definition;
use mobkit_domain::event::{ErrorEvent, MobApplied, MobDefined, MobPlanned};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::plan::{ApplyReport, Operation, Plan};
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::Refusal;
use serde_json::Value;
use std::sync::Arc;

/// What to insist on when a plan is applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplyOptions {
    /// The digest of the plan that was seen; `None`: whatever the plan is.
    pub digest: Option<String>,
    /// Whether a mass removal is wanted.
    pub force: bool,
}

/// Whether modules that are as they should be begin anew as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anew {
    /// They stay.
    No,
    /// Those that run do.
    Yes,
}

impl Engine {
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
        let single = self.shared.reconcile.lock().await;
        let prepared = self.prepare(Value::Null).await?;
        prepared
            .plan
            .permit(options.digest.as_deref(), options.force)?;
        let report = self.carry_out(actor, prepared, Anew::No).await?;
        drop(single);
        self.tell(&report).await;
        Ok(report)
    }

    /// The first apply of a start. A source that is down must not empty the mob at a restart
    /// either, so a mass removal needs `force` here too.
    pub(crate) async fn apply_first(
        &self,
        context: Value,
        force: bool,
    ) -> Result<ApplyReport, Refusal> {
        let single = self.shared.reconcile.lock().await;
        let prepared = self.prepare(context).await?;
        prepared.plan.permit(None, force)?;
        let report = self
            .carry_out(&Principal::Runtime, prepared, Anew::No)
            .await?;
        drop(single);
        self.tell(&report).await;
        Ok(report)
    }

    pub(super) async fn carry_out(
        &self,
        actor: &Principal,
        prepared: Prepared,
        anew: Anew,
    ) -> Result<ApplyReport, Refusal> {
        let Prepared {
            definition,
            defined,
            discovered,
            plan,
            ..
        } = prepared;
        let digest = plan.digest();
        self.define(actor, &plan, defined, &definition).await?;
        let mut report = ApplyReport {
            digest: digest.clone(),
            ..ApplyReport::default()
        };
        // New tools are there before the members that use them, old ones go after them.
        let (last, first): (Vec<_>, Vec<_>) = plan
            .modules()
            .steps()
            .partition(|(operation, _)| *operation == Operation::ModuleStop);
        self.carry_out_modules(actor, first.into_iter(), &mut report)
            .await;
        if anew == Anew::Yes {
            self.restart_modules(actor, &mut report).await;
        }
        self.carry_out_roster(actor, &plan, &mut report).await;
        report.edges = self
            .carry_out_edges(actor, &definition, discovered.as_ref())
            .await;
        self.carry_out_routes(actor, plan.routes(), &mut report)
            .await;
        // What is started by itself comes after those that it starts.
        self.carry_out_schedules(actor, plan.schedules(), &mut report)
            .await;
        self.carry_out_modules(actor, last.into_iter(), &mut report)
            .await;
        if !plan.is_empty() {
            let failures = report.failure_count();
            let applied = MobApplied {
                digest,
                steps: report.steps(),
                failures,
            };
            let command = Command::Mob(MobCommand::Applied(applied));
            if let Err(refusal) = self.order(actor, command).await {
                // A stop came in between. The report says what was done, so it is given all the
                // same.
                tracing::warn!(%refusal, "that the plan was applied can't be recorded");
            }
        }
        if let Some(error) = report.error() {
            self.raise(error).await;
        }
        Ok(report)
    }

    /// Records what will be done, and puts the definition in force: what follows is decided by it.
    async fn define(
        &self,
        actor: &Principal,
        plan: &Plan,
        defined: MobDefined,
        definition: &Arc<Definition>,
    ) -> Result<(), Refusal> {
        if !plan.is_empty() {
            let planned = MobPlanned {
                digest: plan.digest(),
                steps: plan.steps(),
            };
            self.order(actor, Command::Mob(MobCommand::Planned(planned)))
                .await?;
        }
        let internal = *actor == Principal::Runtime;
        let command = Command::Mob(MobCommand::Define(defined));
        let submission = Submission {
            command,
            actor: actor.clone(),
            key: None,
            trace: None,
        };
        self.request(submission, internal, Some(Arc::clone(definition)))
            .await?;
        Ok(())
    }

    /// Tells the host what came of it. Nothing is locked here, so a hook may apply and reconcile
    /// itself.
    pub(super) async fn tell(&self, report: &ApplyReport) {
        let hooks = &self.shared.hooks;
        let mut told = Ok(());
        if let Some(hook) = hooks
            .post_spawn
            .as_ref()
            .filter(|_| !report.spawned.is_empty())
        {
            told = guarded("the post-spawn hook", || hook(report.spawned.clone())).await;
        }
        if let Some(hook) = &hooks.post_reconcile {
            let call = guarded("the post-reconcile hook", || hook(report.clone()));
            told = told.and(call.await);
        }
        if let Err(panicked) = told {
            tracing::error!("{panicked}");
        }
    }

    pub(super) async fn order(
        &self,
        actor: &Principal,
        command: Command,
    ) -> Result<Answer, Refusal> {
        let internal = *actor == Principal::Runtime;
        let submission = Submission {
            command,
            actor: actor.clone(),
            key: None,
            trace: None,
        };
        self.request(submission, internal, None).await
    }

    /// Records an error; the error hook gets it from the journal.
    pub async fn raise(&self, error: ErrorEvent) {
        let command = Command::Runtime(RuntimeCommand::Raise(error));
        if let Err(refusal) = self.submit_internal(command).await {
            tracing::error!(%refusal, "an error could not be recorded");
        }
    }
}
