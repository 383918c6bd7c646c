//! Stops: somebody wants a module to end, and how it ended.

use super::decide::{defined, live, not_found, stale};
use super::start::{OPERATOR, starting};
use crate::draft::Draft;
use crate::event::{ModuleStopped, ModuleStopping, StartReason, StopOutcome};
use crate::id::{ModuleId, Seq};
use crate::refusal::Refusal;
use crate::state::{Module, ModuleStatus, Stage};

/// How a process was seen to end.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Observed {
    pub(super) outcome: Option<StopOutcome>,
    pub(super) took_ms: u64,
}

/// Somebody wants it to end and stay so, over restarts of the runtime too.
pub(super) fn stop(draft: &mut Draft<'_>, id: &ModuleId) -> Result<(), Refusal> {
    let found = draft.state().modules.get(id);
    if found.is_none() && defined(draft, id).is_none() {
        return Err(not_found(draft, id));
    }
    let held = found.is_some_and(|module| module.held);
    match found.map(|module| module.status) {
        Some(ModuleStatus::Stopped | ModuleStatus::Stopping) if held => {}
        Some(ModuleStatus::Restarting { .. }) if found.is_some_and(|module| module.running) => {
            stopping(draft, id, OPERATOR, true);
        }
        Some(
            ModuleStatus::Starting
            | ModuleStatus::Healthy
            | ModuleStatus::Unhealthy
            | ModuleStatus::Stopping,
        ) => stopping(draft, id, OPERATOR, true),
        None
        | Some(
            ModuleStatus::Stopped | ModuleStatus::Restarting { .. } | ModuleStatus::Quarantined,
        ) => {
            draft.order(ModuleStopped {
                held: true,
                ..gone(id, OPERATOR)
            });
        }
    }
    Ok(())
}

/// A module has no process any longer, and nothing more is to be said of it.
pub(super) fn gone(id: &ModuleId, reason: &str) -> ModuleStopped {
    ModuleStopped {
        module: id.clone(),
        reason: reason.to_owned(),
        outcome: None,
        took_ms: 0,
        removed: false,
        held: false,
    }
}

pub(super) fn stopping(draft: &mut Draft<'_>, id: &ModuleId, reason: &str, held: bool) {
    draft.order(ModuleStopping {
        module: id.clone(),
        reason: reason.to_owned(),
        held,
    });
}

/// A process ended since it was told to; `reason`: why, where the journal does not know.
pub(super) fn stopped(
    draft: &mut Draft<'_>,
    (id, start): (&ModuleId, Seq),
    how: Observed,
    reason: Option<&str>,
) -> Result<(), Refusal> {
    let found = live(draft, id, start)?;
    match found.status {
        ModuleStatus::Starting | ModuleStatus::Healthy | ModuleStatus::Unhealthy => {
            end(draft, id, found, reason.unwrap_or("shutdown"), how);
        }
        ModuleStatus::Stopping | ModuleStatus::Restarting { .. } => {
            told_to(draft, id, found, how, reason);
        }
        ModuleStatus::Stopped | ModuleStatus::Quarantined => return Err(stale(id)),
    }
    Ok(())
}

/// The end of a process that was told to end, by whatever way it is known: its module stays down or
/// is started again, as was wanted.
pub(super) fn told_to(
    draft: &mut Draft<'_>,
    id: &ModuleId,
    found: &Module,
    how: Observed,
    reason: Option<&str>,
) {
    let ready = draft.state().stage == Stage::Ready;
    match (found.status, defined(draft, id)) {
        (ModuleStatus::Restarting { .. }, Some(defined)) if ready => {
            let seq = end(draft, id, found, "restart", how);
            draft.emit_from(seq, starting(defined, StartReason::Restart));
        }
        (ModuleStatus::Restarting { .. }, _) => {
            end(draft, id, found, reason.unwrap_or("shutdown"), how);
        }
        (
            ModuleStatus::Stopped
            | ModuleStatus::Starting
            | ModuleStatus::Healthy
            | ModuleStatus::Unhealthy
            | ModuleStatus::Stopping
            | ModuleStatus::Quarantined,
            _,
        ) => {
            let why = found.reason.as_deref().or(reason).unwrap_or(OPERATOR);
            end(draft, id, found, why, how);
        }
    }
}

/// Records the end of a process; a module that the definition no longer has is forgotten.
fn end(draft: &mut Draft<'_>, id: &ModuleId, found: &Module, reason: &str, how: Observed) -> Seq {
    let removed = defined(draft, id).is_none();
    draft.emit(ModuleStopped {
        module: id.clone(),
        reason: reason.to_owned(),
        outcome: how.outcome,
        took_ms: how.took_ms,
        removed,
        held: found.held && !removed,
    })
}
