//! Starts: somebody wants a module to run.

use super::decide::wanted;
use crate::definition;
use crate::draft::Draft;
use crate::event::{ModuleRestarting, ModuleStarting, StartReason};
use crate::id::ModuleId;
use crate::lifecycle::NOT_RUNNING;
use crate::refusal::{Refusal, RefusalKind};
use crate::state::{ModuleStatus, Stage};

/// The word for a change that a person or a program asked for.
pub(super) const OPERATOR: &str = "operator";

/// The event that a module is started under the definition in force.
pub(super) fn starting(defined: &definition::Module, reason: StartReason) -> ModuleStarting {
    ModuleStarting {
        module: defined.id.clone(),
        reason,
        command: defined.command(),
        digest: defined.digest(),
        idle_stop_ms: defined.idle_stop_ms(),
    }
}

/// The event that a module whose process has to be stopped first is started again.
pub(super) fn restarting(draft: &Draft<'_>, module: &ModuleId, reason: &str) -> ModuleRestarting {
    ModuleRestarting {
        module: module.clone(),
        reason: reason.to_owned(),
        restarts: 0,
        not_before: draft.now,
        running: true,
    }
}

/// Somebody wants it to run; nothing happens where it does.
pub(super) fn start(draft: &mut Draft<'_>, id: &ModuleId) -> Result<(), Refusal> {
    let defined = wanted(draft, id)?;
    may_start(draft)?;
    match draft.state().modules.get(id).map(|module| module.status) {
        Some(ModuleStatus::Starting | ModuleStatus::Healthy | ModuleStatus::Unhealthy) => {}
        Some(ModuleStatus::Stopping) => {
            let event = restarting(draft, id, OPERATOR);
            draft.order(event);
        }
        Some(ModuleStatus::Restarting { .. }) if draft.state().modules[id].running => {}
        None
        | Some(
            ModuleStatus::Stopped | ModuleStatus::Restarting { .. } | ModuleStatus::Quarantined,
        ) => {
            draft.order(starting(defined, StartReason::Ordered));
        }
    }
    Ok(())
}

/// Somebody wants it to begin anew, whatever it does.
pub(super) fn restart(draft: &mut Draft<'_>, id: &ModuleId) -> Result<(), Refusal> {
    let defined = wanted(draft, id)?;
    may_start(draft)?;
    let found = draft.state().modules.get(id);
    let Some(found) = found.filter(|module| module.running) else {
        draft.order(starting(defined, StartReason::Ordered));
        return Ok(());
    };
    match found.status {
        ModuleStatus::Restarting { .. } => {}
        ModuleStatus::Stopped
        | ModuleStatus::Starting
        | ModuleStatus::Healthy
        | ModuleStatus::Unhealthy
        | ModuleStatus::Stopping
        | ModuleStatus::Quarantined => {
            let event = restarting(draft, id, OPERATOR);
            draft.order(event);
        }
    }
    Ok(())
}

fn may_start(draft: &Draft<'_>) -> Result<(), Refusal> {
    if draft.state().stage == Stage::Ready {
        return Ok(());
    }
    let message = "modules are started only while the runtime is running";
    Err(Refusal::new(RefusalKind::Unavailable, NOT_RUNNING, message))
}
