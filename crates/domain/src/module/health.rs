//! A module answers, or no longer does as it should.

use super::decide::{defined, live, stale};
use super::ended::raise;
use super::listing::{Listing, listing};
use crate::draft::Draft;
use crate::event::{ModuleHealthy, ModuleUnhealthy, ToolDefinition};
use crate::id::{ModuleId, Seq};
use crate::refusal::Refusal;
use crate::state::{Module, ModuleStatus};

/// What is known of a process that answers.
pub(super) struct Process<'c> {
    pub(super) pid: Option<u32>,
    pub(super) protocol: &'c str,
    pub(super) sandbox: Option<&'c str>,
}

impl Process<'_> {
    fn is_that_of(&self, module: &Module) -> bool {
        self.pid == module.pid
            && Some(self.protocol) == module.protocol.as_deref()
            && self.sandbox == module.sandbox.as_deref()
    }
}

/// The module, if a process of exactly this start is there and was not told to end.
fn present<'w>(draft: &Draft<'w>, id: &ModuleId, start: Seq) -> Result<&'w Module, Refusal> {
    let found = live(draft, id, start)?;
    match found.status {
        ModuleStatus::Starting | ModuleStatus::Healthy | ModuleStatus::Unhealthy => Ok(found),
        ModuleStatus::Stopped
        | ModuleStatus::Stopping
        | ModuleStatus::Restarting { .. }
        | ModuleStatus::Quarantined => Err(stale(id)),
    }
}

pub(super) fn healthy(
    draft: &mut Draft<'_>,
    (id, start): (&ModuleId, Seq),
    process: &Process<'_>,
    tools: Option<&[ToolDefinition]>,
) -> Result<(), Refusal> {
    let found = present(draft, id, start)?;
    let pin = defined(draft, id).is_some_and(|module| module.pin);
    let Listing {
        tools,
        held,
        changed,
        left_out,
    } = tools.map_or_else(Listing::default, |tools| listing(found, tools, pin));
    let same = found.status == ModuleStatus::Healthy && process.is_that_of(found);
    if same && tools.is_none() {
        return Ok(());
    }
    let seq = draft.emit(ModuleHealthy {
        module: id.clone(),
        start,
        pid: process.pid,
        protocol: process.protocol.to_owned(),
        sandbox: process.sandbox.map(str::to_owned),
        tools,
        held,
        changed,
    });
    if let Some(error) = left_out {
        raise(draft, seq, id, &error);
    }
    Ok(())
}

pub(super) fn unhealthy(
    draft: &mut Draft<'_>,
    (id, start): (&ModuleId, Seq),
    reason: &str,
) -> Result<(), Refusal> {
    let found = present(draft, id, start)?;
    let same = found.status == ModuleStatus::Unhealthy && found.reason.as_deref() == Some(reason);
    if !same {
        draft.emit(ModuleUnhealthy {
            module: id.clone(),
            start,
            reason: reason.to_owned(),
        });
    }
    Ok(())
}
