//! The definition has a module, has changed it, or no longer has it.

use super::decide::defined;
use super::start::{restarting, starting};
use super::stop::{gone, stopping};
use crate::definition;
use crate::draft::Draft;
use crate::event::{ModuleStopped, StartReason};
use crate::id::ModuleId;
use crate::state::{Module, ModuleStatus, Stage};

/// What a module needs so that it is what the definition says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// It is started.
    Start,
    /// It is stopped and forgotten.
    Stop,
    /// Its process is replaced.
    Restart,
}

/// What a module needs so that it is what the definition says, and why; `None`: nothing.
///
/// One that an operator stopped needs nothing: whoever starts it gets the definition of then. Nor
/// does one that is being replaced or stopped anyway, if that leads to what is wanted.
pub(crate) fn need(
    defined: Option<&definition::Module>,
    found: Option<&Module>,
) -> Option<(Need, &'static str)> {
    let (defined, found) = match (defined, found) {
        (None, None) => return None,
        (None, Some(found)) if found.status == ModuleStatus::Stopping => return None,
        (None, Some(_)) => return Some((Need::Stop, "the mob file no longer has it")),
        (Some(_), None) => return Some((Need::Start, "the mob file has it, and it is not there")),
        (Some(_), Some(found)) if found.held => return None,
        (Some(defined), Some(found)) => (defined, found),
    };
    let changed = found.digest != defined.digest();
    match found.status {
        ModuleStatus::Restarting { .. } if found.running => None,
        ModuleStatus::Stopping if changed || !defined.is_lazy() => {
            Some((Need::Start, "it is being stopped, and the mob file has it"))
        }
        ModuleStatus::Stopped | ModuleStatus::Quarantined if changed => {
            Some((Need::Start, "its definition has changed"))
        }
        ModuleStatus::Starting
        | ModuleStatus::Healthy
        | ModuleStatus::Unhealthy
        | ModuleStatus::Restarting { .. }
            if changed =>
        {
            Some((Need::Restart, "its definition has changed"))
        }
        ModuleStatus::Stopped
        | ModuleStatus::Starting
        | ModuleStatus::Healthy
        | ModuleStatus::Unhealthy
        | ModuleStatus::Stopping
        | ModuleStatus::Restarting { .. }
        | ModuleStatus::Quarantined => None,
    }
}

/// Brings a module to what the definition in force says. Before the runtime is ready nothing is
/// started: that it becomes ready starts whatever is wanted then.
pub(super) fn converge(draft: &mut Draft<'_>, id: &ModuleId) {
    let (defined, found) = (defined(draft, id), draft.state().modules.get(id));
    let running = found.is_some_and(|module| module.running);
    match (need(defined, found), defined) {
        (Some((Need::Stop, _)), _) if running => stopping(draft, id, "removed", false),
        (Some((Need::Stop, _)), _) => {
            draft.order(ModuleStopped {
                removed: true,
                ..gone(id, "removed")
            });
        }
        (Some(_), _) if draft.state().stage != Stage::Ready => {}
        (Some((Need::Start | Need::Restart, _)), _) if running => {
            let event = restarting(draft, id, "changed");
            draft.order(event);
        }
        (Some((Need::Start | Need::Restart, _)), Some(defined)) => {
            draft.order(starting(defined, first_reason(defined)));
        }
        // Only what is defined needs a start.
        (None, _) | (Some((Need::Start | Need::Restart, _)), None) => {}
    }
}

/// Why a module is started that nobody has called.
pub(super) fn first_reason(defined: &definition::Module) -> StartReason {
    if defined.is_lazy() {
        StartReason::Listing
    } else {
        StartReason::Wanted
    }
}
