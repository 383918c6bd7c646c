//! How a turn begins: by itself, as soon as a message waits and there is room.

use super::budget;
use crate::definition::{Definition, Engine, Model, Profile};
use crate::draft::Draft;
use crate::event::{ErrorEvent, ErrorRaised, MemberFailed, MessageDelivered, TurnStarted};
use crate::id::{MemberId, MessageId, ProfileId, TurnId};
use crate::state::{MemberMode, State};

/// What a definition has to offer to those who wait in a role.
enum Room<'d> {
    /// A turn may begin.
    Free(&'d Profile, &'d Model),
    /// Its model works on as many turns as it may.
    Full,
    /// The definition no longer has the role or its model.
    Gone(String),
}

fn room<'d>(state: &State, definition: &'d Definition, role: &ProfileId) -> Room<'d> {
    let Some(profile) = definition.profiles.get(role) else {
        return Room::Gone(format!("the definition has no profile {role}"));
    };
    let Some(model) = definition.models.get(&profile.model) else {
        return Room::Gone(format!("the definition has no model {}", profile.model));
    };
    let working = state.working.get(&profile.model).copied().unwrap_or(0);
    if model.turns_max.is_none_or(|max| working < max) {
        Room::Free(profile, model)
    } else {
        Room::Full
    }
}

/// Begins the turn that has waited longest among those for which there is room.
pub(crate) fn begin_next(draft: &mut Draft<'_>) {
    let state: &State = draft.state();
    let definition: &Definition = &draft.world.definition;
    if state.working_total() >= definition.turns_max {
        return;
    }
    let mut oldest: Option<(MessageId, &MemberId, (&Profile, &Model))> = None;
    for (role, waiting) in &state.ready {
        let Some((message, id)) = waiting.first() else {
            continue;
        };
        match room(state, definition, role) {
            Room::Full => {}
            Room::Gone(error) => return set_aside(draft, id, error),
            Room::Free(profile, model) => {
                if oldest.is_none_or(|(earlier, ..)| *message < earlier) {
                    oldest = Some((*message, id, (profile, model)));
                }
            }
        }
    }
    if let Some((message, id, role)) = oldest {
        begin(draft, message, id, role);
    }
}

/// The member can't begin its turn: it fails and keeps what waits, unless it is leaving.
fn set_aside(draft: &mut Draft<'_>, id: &MemberId, error: String) {
    let Some(member) = draft.state().members.get(id) else {
        return;
    };
    if member.mode == MemberMode::Retiring {
        return crate::member::turn_away(draft, member, &error);
    }
    let seq = draft.emit(MemberFailed {
        member: id.clone(),
        error: error.clone(),
    });
    crate::member::helper_failed(draft, id, &error);
    let error = ErrorEvent::MemberCrashed {
        member: id.clone(),
        error,
    };
    draft.emit_from(seq, ErrorRaised { error });
}

fn begin(
    draft: &mut Draft<'_>,
    message: MessageId,
    id: &MemberId,
    (profile, model): (&Profile, &Model),
) {
    let state = draft.state();
    let (Some(member), Some(waiting)) = (state.members.get(id), state.messages.get(&message))
    else {
        return;
    };
    if !budget::allows_turn(draft, id, profile) {
        return;
    }
    let external = profile.engine != Engine::Native;
    // The message is delivered first, so the turn's own position is the one after it.
    let turn = TurnId(draft.next_seq() + 1);
    draft.emit_from(
        message.0,
        MessageDelivered {
            message,
            member: id.clone(),
            turn,
        },
    );
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
            origin: (waiting.origin != waiting.from).then(|| waiting.origin.clone()),
            schedule: waiting.schedule.clone(),
            external,
            unpriced: model.price.is_none() || member.offers.is_some_and(|offers| !offers.usage),
        },
    );
    budget::count_turn(draft, turn, id, profile);
}
