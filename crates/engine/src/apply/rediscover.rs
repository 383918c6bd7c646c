//! Asking discovery again.

use super::plan::{Prepared, present};
use crate::engine::Engine;
use mobkit_domain::command::{Command, MobCommand};
use mobkit_domain::event::ErrorEvent;
use mobkit_domain::id::MemberId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::plan::ApplyReport;
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
        let prepared = match self.prepare(Value::Null).await {
            Ok(prepared) => prepared.plan.permit(None, force).map(|()| prepared),
            Err(refusal) => Err(refusal),
        };
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(refusal) => {
                self.raise(ErrorEvent::RediscoverFailure {
                    error: refusal.to_string(),
                })
                .await;
                return Err(refusal);
            }
        };
        if mode == RediscoverMode::Converge {
            let report = self.carry_out(actor, prepared).await?;
            drop(single);
            self.tell(&report).await;
            return Ok(Some(report));
        }
        let retired: Vec<MemberId> = self.view(|world| present(world).into_keys().collect());
        self.order(actor, Command::Mob(MobCommand::Reset)).await?;
        let Prepared {
            definition,
            desired,
            discovered,
            ..
        } = &prepared;
        let plan = self.plan_for(definition, desired, discovered.as_ref())?;
        let mut report = self.carry_out(actor, Prepared { plan, ..prepared }).await?;
        report.retired = retired;
        drop(single);
        self.tell(&report).await;
        Ok(Some(report))
    }
}
