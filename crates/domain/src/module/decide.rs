//! Decisions about modules.

use super::{converge, direct, ended, health, start, stop};
use crate::command::ModuleCommand;
use crate::definition::{self, nearest_name};
use crate::draft::{Decision, Draft};
use crate::id::{ModuleId, Seq};
use crate::refusal::{Refusal, RefusalKind};
use crate::state::Module;

pub(crate) fn decide(mut draft: Draft<'_>, command: &ModuleCommand) -> Result<Decision, Refusal> {
    match command {
        ModuleCommand::Start { module } => start::start(&mut draft, module)?,
        ModuleCommand::Stop { module } => stop::stop(&mut draft, module)?,
        ModuleCommand::Restart { module } => start::restart(&mut draft, module)?,
        ModuleCommand::Converge { module } => converge::converge(&mut draft, module),
        ModuleCommand::Call { module, tool, args } => {
            direct::call(&mut draft, module, tool, args)?;
        }
        ModuleCommand::Healthy {
            module,
            start,
            pid,
            protocol,
            sandbox,
            tools,
        } => {
            let process = health::Process {
                pid: *pid,
                protocol,
                sandbox: sandbox.as_deref(),
            };
            health::healthy(&mut draft, (module, *start), &process, tools.as_deref())?;
        }
        ModuleCommand::Unhealthy {
            module,
            start,
            reason,
        } => health::unhealthy(&mut draft, (module, *start), reason)?,
        ModuleCommand::Ended {
            module,
            start,
            reason,
            ended,
        } => ended::ended(&mut draft, (module, *start), reason, *ended)?,
        ModuleCommand::Stopped {
            module,
            start,
            outcome,
            took_ms,
            reason,
        } => {
            let how = stop::Observed {
                outcome: Some(*outcome),
                took_ms: *took_ms,
            };
            stop::stopped(&mut draft, (module, *start), how, reason.as_deref())?;
        }
        ModuleCommand::Said(said) => {
            known(&draft, &said.module)?;
            draft.emit(said.clone());
        }
        ModuleCommand::Logged(log) => {
            known(&draft, &log.module)?;
            draft.emit(log.clone());
        }
    }
    Ok(draft.done())
}

/// What the definition in force says of a module.
pub(super) fn defined<'w>(draft: &Draft<'w>, id: &ModuleId) -> Option<&'w definition::Module> {
    let modules = &draft.world.definition.modules;
    modules.iter().find(|module| module.id == *id)
}

/// The module of the definition in force, or the refusal that there is none.
pub(super) fn wanted<'w>(
    draft: &Draft<'w>,
    id: &ModuleId,
) -> Result<&'w definition::Module, Refusal> {
    defined(draft, id).ok_or_else(|| not_found(draft, id))
}

/// The module as the journal leaves it, or the refusal that there is none.
fn known<'w>(draft: &Draft<'w>, id: &ModuleId) -> Result<&'w Module, Refusal> {
    let found = draft.state().modules.get(id);
    found.ok_or_else(|| not_found(draft, id))
}

/// The module, if there may be a process of exactly this start.
pub(super) fn live<'w>(
    draft: &Draft<'w>,
    id: &ModuleId,
    start: Seq,
) -> Result<&'w Module, Refusal> {
    let found = draft.state().modules.get(id);
    let live = found.filter(|module| module.running && module.start == start);
    live.ok_or_else(|| stale(id))
}

pub(super) fn stale(id: &ModuleId) -> Refusal {
    let message = format!("module {id} has moved on; this is of an earlier process of it");
    Refusal::new(RefusalKind::Conflict, "module.stale", message)
}

pub(super) fn not_found(draft: &Draft<'_>, id: &ModuleId) -> Refusal {
    let message = format!("there is no module {id}");
    let refusal = Refusal::new(RefusalKind::Missing, "module.not_found", message);
    let modules = draft.world.definition.modules.iter();
    match nearest_name(id.as_str(), modules.map(|module| module.id.as_str())) {
        Some(near) => refusal.hint(format!("did you mean {near:?}?")),
        None => refusal.hint("`module/list` lists the modules"),
    }
}
