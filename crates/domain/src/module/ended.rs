//! A module could not be started, or ended without being told to.

use super::decide::{defined, live, stale};
use super::restart::{Consequence, consequence};
use super::stop::{Observed, gone, told_to};
use crate::command::Ended;
use crate::definition;
use crate::draft::Draft;
use crate::event::{ErrorEvent, ErrorRaised, ModuleQuarantined, ModuleRestarting, ModuleStopped};
use crate::id::{ModuleId, Seq};
use crate::refusal::Refusal;
use crate::state::{Module, ModuleStatus, Stage};

pub(super) fn ended(
    draft: &mut Draft<'_>,
    (id, start): (&ModuleId, Seq),
    reason: &str,
    ended: Ended,
) -> Result<(), Refusal> {
    let found = live(draft, id, start)?;
    match found.status {
        // It was faster than who told it to end.
        ModuleStatus::Stopping | ModuleStatus::Restarting { .. } => {
            told_to(draft, id, found, Observed::default(), None);
        }
        ModuleStatus::Starting | ModuleStatus::Healthy | ModuleStatus::Unhealthy => {
            match defined(draft, id) {
                Some(defined) if draft.state().stage == Stage::Ready => {
                    follow(draft, (defined, found), reason, ended);
                }
                // The next start of the runtime starts it again.
                Some(_) => _ = draft.emit(gone(id, reason)),
                None => {
                    draft.emit(ModuleStopped {
                        removed: true,
                        ..gone(id, reason)
                    });
                }
            }
        }
        ModuleStatus::Stopped | ModuleStatus::Quarantined => return Err(stale(id)),
    }
    Ok(())
}

fn follow(
    draft: &mut Draft<'_>,
    (defined, found): (&definition::Module, &Module),
    reason: &str,
    ended: Ended,
) {
    let id = &defined.id;
    match consequence(&defined.restart, &found.recent, ended, draft.now) {
        Consequence::Stay => {
            let seq = draft.emit(gone(id, reason));
            if ended == Ended::Failure {
                raise(draft, seq, id, reason);
            }
        }
        Consequence::Again {
            restarts,
            not_before,
        } => {
            draft.emit(ModuleRestarting {
                module: id.clone(),
                reason: reason.to_owned(),
                restarts,
                not_before,
                running: false,
            });
        }
        Consequence::TooOften { ends } => {
            let span = span(defined.restart.period_ms);
            let times = if ends == 1 { "time" } else { "times" };
            let why = format!("it ended {ends} {times} within {span}, at last: {reason}");
            quarantine(draft, id, &why);
        }
        Consequence::Hopeless => quarantine(draft, id, reason),
    }
}

fn quarantine(draft: &mut Draft<'_>, id: &ModuleId, reason: &str) {
    let seq = draft.emit(ModuleQuarantined {
        module: id.clone(),
        reason: reason.to_owned(),
    });
    raise(draft, seq, id, reason);
}

/// Tells the host that a module failed and is not started again.
pub(super) fn raise(draft: &mut Draft<'_>, cause: Seq, id: &ModuleId, error: &str) {
    let (module, error) = (id.clone(), error.to_owned());
    let error = ErrorEvent::ModuleFailed { module, error };
    draft.emit_from(cause, ErrorRaised { error });
}

/// A span for people.
fn span(ms: u64) -> String {
    if ms.is_multiple_of(1_000) {
        format!("{} s", ms / 1_000)
    } else {
        format!("{ms} ms")
    }
}
