//! What is there to be decided, resolved or stopped right now.

use mobkit::Engine;
use mobkit::id::CallId;
use mobkit::state::{CallState, MemberState};

/// Approvals that wait: id and digest.
pub(crate) fn pending(engine: &Engine) -> Vec<(String, String)> {
    engine.view(|world| {
        let approvals = world.state.approvals.iter();
        approvals
            .map(|(id, approval)| (id.to_string(), approval.request.digest.clone()))
            .collect()
    })
}

/// Calls of which nobody knows whether they happened.
pub(crate) fn unknown(engine: &Engine) -> Vec<CallId> {
    engine.view(|world| {
        let calls = world.state.turns.values().flat_map(|turn| &turn.calls);
        calls
            .filter(|call| call.state == CallState::Unknown)
            .map(|call| call.id)
            .collect()
    })
}

/// Members that begin nothing until somebody says so.
pub(crate) fn halted(engine: &Engine) -> Vec<String> {
    engine.view(|world| {
        let members = world.state.members.keys();
        members
            .filter(|id| {
                let state = world.state.member_state(id);
                matches!(
                    state,
                    Some(MemberState::Paused | MemberState::Failed | MemberState::Quarantined)
                )
            })
            .map(ToString::to_string)
            .collect()
    })
}

/// Turns that have not ended.
pub(crate) fn turns(engine: &Engine) -> Vec<String> {
    engine.view(|world| world.state.turns.keys().map(ToString::to_string).collect())
}

/// Messages that have not ended.
pub(crate) fn messages(engine: &Engine) -> Vec<String> {
    engine.view(|world| {
        world
            .state
            .messages
            .keys()
            .map(ToString::to_string)
            .collect()
    })
}

/// Schedules, and which of them fire.
pub(crate) fn schedules(engine: &Engine) -> Vec<String> {
    engine.view(|world| {
        world
            .state
            .schedules
            .keys()
            .map(ToString::to_string)
            .collect()
    })
}
