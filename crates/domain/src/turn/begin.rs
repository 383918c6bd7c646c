//! How a turn begins: by itself, as soon as a message waits and there is room.

use crate::definition::Engine;
use crate::draft::Draft;
use crate::event::{MemberFailed, MessageDelivered, TurnStarted};
use crate::id::{MemberId, MessageId, TurnId};
use crate::state::State;

/// Begins the turn that has waited longest, if there is room for one.
pub(crate) fn begin_next(draft: &mut Draft<'_>) {
    let state: &State = draft.state();
    let definition = &draft.world.definition;
    if state.working_total() >= definition.turns_max {
        return;
    }
    for (message, id) in &state.ready {
        let Some(member) = state.members.get(id) else { continue };
        let Some(profile) = draft.profile(&member.profile) else {
            let error = format!("the definition has no profile {}", member.profile);
            draft.emit(MemberFailed { member: id.clone(), error });
            return;
        };
        let Some(model) = definition.models.get(&profile.model) else {
            let error = format!("the definition has no model {}", profile.model);
            draft.emit(MemberFailed { member: id.clone(), error });
            return;
        };
        let working = state.working.get(&profile.model).copied().unwrap_or(0);
        if model.turns_max.is_none_or(|max| working < max) {
            return begin(draft, *message, id, profile);
        }
    }
}

fn begin(
    draft: &mut Draft<'_>,
    message: MessageId,
    id: &MemberId,
    profile: &crate::definition::Profile,
) {
    let state = draft.state();
    let (Some(member), Some(waiting)) = (state.members.get(id), state.messages.get(&message)) else {
        return;
    };
    // The message is delivered first, so the turn's own position is the one after it.
    let turn = TurnId(draft.next_seq() + 1);
    draft.emit_from(message.0, MessageDelivered { message, member: id.clone(), turn });
    draft.emit_from(
        message.0,
        TurnStarted {
            turn,
            member: id.clone(),
            messages: vec![message],
            fence: member.fence,
            profile: member.profile.clone(),
            model: profile.model.clone(),
            from: waiting.from.clone(),
            external: profile.engine != Engine::Native,
        },
    );
}
