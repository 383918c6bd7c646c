//! What a start does about modules of the process before it, and about direct calls.

use super::stop::gone;
use crate::delivery::CallOutcome;
use crate::draft::Draft;
use crate::event::{ModuleStopped, ToolEffect, ToolFailed, ToolUnknown};
use crate::state::{ModuleStatus, Stage};
use crate::tool::MOBKIT_ENDED;

/// Records that the modules which seemed to run do not, and ends the direct calls that were in
/// flight: no child outlives its process, and nobody waits for those calls.
pub(crate) fn recover(draft: &mut Draft<'_>) {
    let state = draft.state();
    let clean = state.stage == Stage::Stopped;
    for (id, module) in &state.modules {
        let reason = match module.status {
            ModuleStatus::Stopped | ModuleStatus::Quarantined => continue,
            // It had no process to stop.
            ModuleStatus::Restarting { .. } if clean && !module.running => "shutdown",
            ModuleStatus::Starting
            | ModuleStatus::Healthy
            | ModuleStatus::Unhealthy
            | ModuleStatus::Stopping
            | ModuleStatus::Restarting { .. } => "crash",
        };
        draft.emit(ModuleStopped {
            held: module.held,
            ..gone(id, reason)
        });
    }
    for (call, direct) in &state.direct_calls {
        let (tool, args) = (direct.tool.clone(), direct.args.clone());
        match direct.effect {
            ToolEffect::Effect => {
                let seq = draft.emit_from(
                    call.reply,
                    ToolUnknown {
                        call: *call,
                        turn: None,
                        member: None,
                        tool,
                        args,
                        reason: Some(MOBKIT_ENDED.to_owned()),
                    },
                );
                let told = Err("nobody can say what came of it");
                crate::schedule::call_ended(draft, seq, *call, told);
                crate::delivery::call_ended(draft, seq, *call, CallOutcome::Unknown);
            }
            ToolEffect::Read | ToolEffect::Idempotent => {
                let reason = MOBKIT_ENDED.to_owned();
                let seq = draft.emit_from(
                    call.reply,
                    ToolFailed {
                        call: *call,
                        turn: None,
                        member: None,
                        tool,
                        args,
                        reason,
                    },
                );
                crate::schedule::call_ended(draft, seq, *call, Err(MOBKIT_ENDED));
                crate::delivery::call_ended(draft, seq, *call, CallOutcome::Lost(MOBKIT_ENDED));
            }
        }
    }
}
