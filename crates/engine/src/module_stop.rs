//! Stopping the modules at the end of a process, and recording how each ended.

use crate::engine::Engine;
use crate::hooks::guarded;
use mobkit_domain::command::{Command, ModuleCommand};
use mobkit_domain::event::StopOutcome;
use mobkit_domain::id::ModuleId;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long all modules together may take to end, those that have to be killed included.
pub(crate) const MODULES_PATIENCE: Duration = Duration::from_secs(8);

/// What came of stopping a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleStopped {
    /// The module.
    pub id: ModuleId,
    /// How its process came to its end.
    pub outcome: StopOutcome,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

impl Engine {
    /// Stops every module and says how each ended that was seen to end.
    pub(crate) async fn stop_modules(&self, problems: &mut Vec<String>) -> Vec<ModuleStopped> {
        let dispatch = &self.shared.dispatch;
        let stopping = async {
            dispatch.starts_gone().await;
            let stopping = guarded("stopping the modules", || self.shared.runner.stop_modules());
            let stopped = stopping.await;
            dispatch.stops_recorded().await;
            stopped
        };
        let mut stopped = match tokio::time::timeout(MODULES_PATIENCE, stopping).await {
            Ok(Ok(stopped)) => stopped,
            Ok(Err(panicked)) => {
                problems.push(panicked.to_string());
                Vec::new()
            }
            Err(_) => {
                problems.push("stopping the modules took too long".to_owned());
                Vec::new()
            }
        };
        stopped.sort_by(|a, b| a.id.cmp(&b.id));
        stopped
    }

    /// Records how modules ended. One that was not seen to end stays open in the journal, and the
    /// next start says of it that it was left running.
    pub(crate) async fn record_stops(&self, stopped: &[ModuleStopped]) {
        for module in stopped {
            self.record_stop(module).await;
        }
    }

    async fn record_stop(&self, stopped: &ModuleStopped) {
        let found = self.view(|world| world.state.modules.get(&stopped.id).map(|m| m.start));
        let Some(start) = found else {
            return;
        };
        let command = ModuleCommand::Stopped {
            module: stopped.id.clone(),
            start,
            outcome: stopped.outcome,
            took_ms: stopped.took_ms,
            reason: Some("shutdown".to_owned()),
        };
        if let Err(refusal) = self.submit_internal(Command::Module(command)).await {
            tracing::debug!(module = %stopped.id, "its stop is recorded already: {refusal}");
        }
    }
}
