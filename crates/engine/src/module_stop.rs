//! Stopping the modules at the end of a process, and recording how each ended.

use crate::engine::Engine;
use crate::hooks::guarded;
use mobkit_domain::command::{Command, Ended, ModuleCommand};
use mobkit_domain::event::StopOutcome;
use mobkit_domain::id::{ModuleId, Seq};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long all modules together may take to end, those that have to be killed included.
pub(crate) const MODULES_PATIENCE: Duration = Duration::from_secs(8);
/// Why they are stopped.
const SHUTDOWN: &str = "shutdown";

/// What came of stopping a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModuleStopped {
    /// The module.
    pub id: ModuleId,
    /// How its process came to its end.
    pub outcome: StopOutcome,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

impl Engine {
    /// Stops every module, and says how each ended that ran. The error: it is not sure that none is
    /// left.
    pub(crate) async fn stop_modules(&self) -> Result<Vec<ModuleStopped>, String> {
        let dispatch = &self.shared.dispatch;
        let stopping = async {
            dispatch.starts_gone().await;
            let stopping = guarded("stopping the modules", || self.shared.runner.stop_modules());
            let stopped = stopping.await;
            dispatch.stops_recorded().await;
            stopped
        };
        let mut stopped = tokio::time::timeout(MODULES_PATIENCE, stopping)
            .await
            .map_err(|_| "stopping the modules took too long".to_owned())?
            .map_err(|panicked| panicked.to_string())?;
        stopped.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(stopped)
    }

    /// Records how modules ended, and of those that had not come to answer that they did not: their
    /// start was given up. Where it was not seen that all have ended nothing is recorded of them,
    /// and the next start says that they were left running.
    pub(crate) async fn record_stops(&self, stopped: &[ModuleStopped]) {
        for module in stopped {
            let found = self.view(|world| world.state.modules.get(&module.id).map(|m| m.start));
            let Some(start) = found else {
                continue;
            };
            let stopped = ModuleCommand::Stopped {
                module: module.id.clone(),
                start,
                outcome: module.outcome,
                took_ms: module.took_ms,
                reason: Some(SHUTDOWN.to_owned()),
            };
            self.record_stop(stopped).await;
        }
        let given_up: Vec<(ModuleId, Seq)> = self.view(|world| {
            let modules = world.state.modules.iter();
            let open = modules.filter(|(_, module)| module.running);
            open.map(|(id, module)| (id.clone(), module.start))
                .collect()
        });
        for (module, start) in given_up {
            let ended = ModuleCommand::Ended {
                module,
                start,
                reason: SHUTDOWN.to_owned(),
                ended: Ended::Failure,
            };
            self.record_stop(ended).await;
        }
    }

    async fn record_stop(&self, command: ModuleCommand) {
        if let Err(refusal) = self.submit_internal(Command::Module(command)).await {
            tracing::debug!("the stop of a module is recorded already: {refusal}");
        }
    }
}
