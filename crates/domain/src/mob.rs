//! Decisions about the mob as a whole.

use crate::command::MobCommand;
use crate::draft::{Decision, Draft};
use crate::event::{EdgeUnwired, MobPaused, MobReset, MobResumed, RetireMode, UnwireReason};

pub(crate) fn decide(mut draft: Draft<'_>, command: &MobCommand) -> Decision {
    match command {
        MobCommand::Define(defined) => {
            if draft.state().definition_digest.as_ref() != Some(&defined.digest) {
                draft.order(defined.clone());
            }
        }
        MobCommand::Planned(planned) => {
            draft.order(planned.clone());
        }
        MobCommand::Applied(applied) => {
            draft.order(applied.clone());
            crate::turn::review(&mut draft);
        }
        MobCommand::Reset => reset(&mut draft),
        MobCommand::Trim(wanted) => crate::retention::trim(&mut draft, wanted),
        MobCommand::Pause { reason } => {
            if !draft.state().paused {
                draft.order(MobPaused {
                    reason: reason.clone(),
                });
            }
        }
        MobCommand::Resume => {
            if draft.state().paused {
                draft.order(MobResumed {});
            }
        }
    }
    draft.done()
}

fn reset(draft: &mut Draft<'_>) {
    let members = draft.state().present().count() as u64;
    draft.order(MobReset { members });
    for (id, member) in draft.state().present() {
        crate::member::retire(
            draft,
            id,
            member,
            RetireMode::Now,
            Some("the mob was reset"),
        );
    }
    for edge in &draft.state().managed {
        let reason = UnwireReason::Pruned;
        draft.emit(EdgeUnwired {
            a: edge.a.clone(),
            b: edge.b.clone(),
            reason,
        });
    }
}
