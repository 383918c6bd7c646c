//! Decisions about the process: start, ready, drain, checkpoint, stop, tick.

use crate::command::RuntimeCommand;
use crate::draft::{Decision, Draft};
use crate::event::{
    ErrorRaised, RuntimeDraining, RuntimeReady, RuntimeStarted, RuntimeStopped, TurnCheckpointed,
};

pub(crate) fn decide(mut draft: Draft<'_>, command: &RuntimeCommand) -> Decision {
    match command {
        RuntimeCommand::Start {
            version,
            epoch,
            durability,
            rehearsal,
        } => {
            draft.emit(RuntimeStarted {
                version: version.clone(),
                epoch: *epoch,
                durability: durability.clone(),
                rehearsal: *rehearsal,
            });
            crate::member::recover(&mut draft);
            crate::turn::recover(&mut draft);
            crate::module::recover(&mut draft);
            crate::delivery::recover(&mut draft);
        }
        RuntimeCommand::Ready => {
            let members = draft.state().present().count() as u64;
            draft.emit(RuntimeReady { members });
            crate::turn::review(&mut draft);
            crate::module::ready(&mut draft);
        }
        RuntimeCommand::Drain { timeout_ms } => {
            draft.emit(RuntimeDraining {
                timeout_ms: *timeout_ms,
            });
        }
        RuntimeCommand::Checkpoint => {
            for (id, turn) in draft
                .state()
                .turns
                .iter()
                .filter(|(_, turn)| !turn.checkpointed)
            {
                let seq = draft.emit(TurnCheckpointed {
                    turn: *id,
                    member: turn.member.clone(),
                    step: turn.step,
                });
                crate::approval::withdraw_elicitations(&mut draft, seq, turn);
            }
        }
        RuntimeCommand::Stop { drain } => {
            draft.emit(RuntimeStopped {
                drain: drain.clone(),
            });
        }
        RuntimeCommand::Tick => tick(&mut draft),
        RuntimeCommand::Raise(error) => {
            draft.emit(ErrorRaised {
                error: error.clone(),
            });
        }
        RuntimeCommand::Deny(denied) => {
            draft.emit(denied.clone());
        }
    }
    draft.done()
}

/// Does what has come due. Schedules and deliveries are looked at once nothing else is due: they
/// use modules and queues, so they must see what became of those.
pub(crate) fn tick(draft: &mut Draft<'_>) {
    expire(draft);
    crate::turn::windows_over(draft);
    crate::approval::expire(draft);
    crate::module::due(draft);
    if draft.state().line_runs() {
        crate::member::retire_idle(draft);
    }
    if draft.is_empty() && draft.state().line_runs() {
        crate::schedule::due(draft);
        crate::delivery::begin_due(draft);
    }
}

/// Drops every waiting message whose time is over.
fn expire(draft: &mut Draft<'_>) {
    for (due, id) in &draft.state().expiries {
        if *due > draft.now {
            break;
        }
        let Some(message) = draft.state().messages.get(id) else {
            continue;
        };
        crate::message::expire(draft, *id, message);
    }
}
