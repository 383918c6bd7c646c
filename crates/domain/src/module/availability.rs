//! Whether a module can take a call.

use super::decide::defined;
use super::start::starting;
use crate::definition;
use crate::draft::Draft;
use crate::event::StartReason;
use crate::id::ModuleId;
use crate::state::{Module, ModuleStatus, Stage};

/// How a module takes a call.
pub(super) enum Availability<'w> {
    /// As it is; the call waits where it is being started.
    Now,
    /// Once it is started for this call.
    Starting(&'w definition::Module),
}

/// Makes sure that a module can take a call: starts a lazy one that is stopped. The error is told
/// to the agent.
pub(crate) fn before_call(draft: &mut Draft<'_>, module: &ModuleId) -> Result<(), String> {
    if let Availability::Starting(defined) = availability(draft, module)? {
        draft.emit(starting(defined, StartReason::Called));
    }
    Ok(())
}

/// How a module takes a call, or in one line why it can't and what helps.
pub(super) fn availability<'w>(
    draft: &Draft<'w>,
    id: &ModuleId,
) -> Result<Availability<'w>, String> {
    let Some(defined) = defined(draft, id) else {
        return Err(format!("module {id} is no longer part of the mob"));
    };
    if draft.is_starting(id) {
        return Ok(Availability::Now);
    }
    let found = draft.state().modules.get(id);
    if let Some(found) = found.filter(|found| found.held) {
        let state = found.status.as_str();
        return Err(format!(
            "module {id} is {state}, since an operator stopped it; only an operator can start it \
             (`module/start`)"
        ));
    }
    match draft.state().stage {
        // A turn goes on before the runtime is ready; modules are started when it is, and the call
        // is made after that.
        Stage::Started | Stage::Stopped => return Ok(Availability::Now),
        Stage::Ready | Stage::Draining => {}
    }
    match found {
        Some(found) if is_up(found) => Ok(Availability::Now),
        Some(found) if !(defined.is_lazy() && found.status == ModuleStatus::Stopped) => {
            Err(why_not(id, found))
        }
        // It is lazy and stopped, or so new that nothing has started it yet.
        Some(_) | None if draft.state().stage == Stage::Ready => {
            Ok(Availability::Starting(defined))
        }
        Some(_) | None => Err(format!(
            "module {id} is stopped, and mobkit is shutting down"
        )),
    }
}

fn is_up(found: &Module) -> bool {
    match found.status {
        ModuleStatus::Starting | ModuleStatus::Healthy => true,
        ModuleStatus::Stopped
        | ModuleStatus::Unhealthy
        | ModuleStatus::Stopping
        | ModuleStatus::Restarting { .. }
        | ModuleStatus::Quarantined => false,
    }
}

fn why_not(id: &ModuleId, found: &Module) -> String {
    let helps = match found.status {
        ModuleStatus::Stopped => "an operator can start it (`module/start`)",
        ModuleStatus::Quarantined => {
            "it is not started by itself again; an operator can restart it (`module/restart`)"
        }
        ModuleStatus::Unhealthy => {
            "it may recover by itself, or an operator can restart it (`module/restart`)"
        }
        ModuleStatus::Stopping
        | ModuleStatus::Restarting { .. }
        | ModuleStatus::Starting
        | ModuleStatus::Healthy => "call it again in a while",
    };
    let state = found.status.as_str();
    match &found.reason {
        Some(reason) => format!("module {id} is {state} ({reason}); {helps}"),
        None => format!("module {id} is {state}; {helps}"),
    }
}
