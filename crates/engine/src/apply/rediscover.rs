//! Asking discovery again.

use super::plan::Prepared;
use super::run::Anew;
use crate::engine::Engine;
use mobkit_domain::command::{Command, MobCommand};
use mobkit_domain::event::ErrorEvent;
use mobkit_domain::id::MemberId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::plan::ApplyReport;
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How to rediscover.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RediscoverMode {
    /// Change what differs.
    #[default]
    Converge,
    /// Retire everybody, restart the modules and spawn all anew.
    Reset,
}

impl Engine {
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
        let single = self.shared.reconcile.lock().await;
        let prepared = self.prepare_guarded(force).await?;
        let report = match mode {
            RediscoverMode::Converge => self.carry_out(actor, prepared, Anew::No).await?,
            RediscoverMode::Reset => self.start_over(actor, prepared).await?,
        };
        drop(single);
        self.tell(&report).await;
        Ok(Some(report))
    }

    /// Retires every member, restarts the modules that run, and spawns all members that are wanted,
    /// by the mob file and by discovery, as new generations. A mob file that can't be read, or a
    /// discovery that fails, changes nothing.
    pub async fn reset(&self, actor: &Principal, force: bool) -> Result<ApplyReport, Refusal> {
        self.phase().check(Verb::Mutate)?;
        let single = self.shared.reconcile.lock().await;
        let prepared = self.prepare_guarded(force).await?;
        let report = self.start_over(actor, prepared).await?;
        drop(single);
        self.tell(&report).await;
        Ok(report)
    }

    /// What is wanted, unless it can't be had or looks wrong: that is raised as an error.
    async fn prepare_guarded(&self, force: bool) -> Result<Prepared, Refusal> {
        let prepared = self.prepare(Value::Null).await.and_then(|prepared| {
            prepared.plan.permit(None, force)?;
            Ok(prepared)
        });
        if let Err(refusal) = &prepared {
            let error = refusal.to_string();
            self.raise(ErrorEvent::RediscoverFailure { error }).await;
        }
        prepared
    }

    async fn start_over(
        &self,
        actor: &Principal,
        prepared: Prepared,
    ) -> Result<ApplyReport, Refusal> {
        let retired: Vec<MemberId> = self.view(|world| {
            let present = world.state.present();
            present.map(|(id, _)| id.clone()).collect()
        });
        self.order(actor, Command::Mob(MobCommand::Reset)).await?;
        let Prepared {
            definition,
            desired,
            discovered,
            ..
        } = &prepared;
        let plan = self.plan_for(definition, desired, discovered.as_ref())?;
        let prepared = Prepared { plan, ..prepared };
        let report = self.carry_out(actor, prepared, Anew::Yes).await?;
        Ok(ApplyReport { retired, ..report })
    }
}
