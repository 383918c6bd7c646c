//! The runtime is ready: the modules that should run are started.

use super::converge::first_reason;
use super::start::starting;
use super::stop::gone;
use crate::definition;
use crate::draft::Draft;
use crate::event::{ModuleStopped, StartReason};
use crate::id::ModuleId;
use crate::state::{Module, ModuleStatus};

/// Starts eager modules, lazy ones whose tools nobody knows under this definition, and lazy ones
/// for which calls wait. A quarantine ends with the process that imposed it; a stop by an operator
/// does not.
pub(crate) fn ready(draft: &mut Draft<'_>) {
    let world = draft.world;
    for defined in &world.definition.modules {
        let found = world.state.modules.get(&defined.id);
        if let Some(reason) = reason(defined, found) {
            draft.emit(starting(defined, reason));
        }
    }
    let is_gone = |id: &ModuleId| !world.definition.modules.iter().any(|m| m.id == *id);
    for id in world.state.modules.keys().filter(|id| is_gone(id)) {
        draft.emit(ModuleStopped {
            removed: true,
            ..gone(id, "removed")
        });
    }
}

fn reason(defined: &definition::Module, found: Option<&Module>) -> Option<StartReason> {
    let Some(found) = found else {
        return Some(first_reason(defined));
    };
    if found.held || found.running {
        return None;
    }
    let listed = found.tools.is_some() && found.tools_digest == defined.digest();
    if !defined.is_lazy() || found.status == ModuleStatus::Quarantined {
        Some(StartReason::Wanted)
    } else if !found.calls.is_empty() {
        Some(StartReason::Called)
    } else if !listed {
        Some(StartReason::Listing)
    } else {
        None
    }
}
