//! What is due about modules: restarts after their pause, and stops of those that nobody uses.

use super::decide::defined;
use super::start::starting;
use super::stop::gone;
use crate::draft::Draft;
use crate::event::{ModuleStopped, ModuleStopping, StartReason};

/// Does what is due. Everything that is found due is used up by an event.
pub(crate) fn due(draft: &mut Draft<'_>) {
    let state = draft.state();
    let (now, due) = (draft.now, state.module_dues.iter());
    for (_, id) in due.take_while(|(due, _)| *due <= now) {
        let running = state.modules.get(id).is_some_and(|module| module.running);
        match defined(draft, id) {
            Some(_) if running => {
                draft.emit(ModuleStopping {
                    module: id.clone(),
                    reason: "idle".to_owned(),
                    held: false,
                });
            }
            Some(defined) => _ = draft.emit(starting(defined, StartReason::Restart)),
            None if running => {
                draft.emit(ModuleStopping {
                    module: id.clone(),
                    reason: "removed".to_owned(),
                    held: false,
                });
            }
            None => {
                draft.emit(ModuleStopped {
                    removed: true,
                    ..gone(id, "removed")
                });
            }
        }
    }
}
