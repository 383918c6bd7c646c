//! What the state counts, counted again.

use mobkit_domain::edge::Edge;
use mobkit_domain::event::MessageMode;
use mobkit_domain::id::{MemberId, MessageId};
use mobkit_domain::state::{
    Call, CallState, HELPER_DEPTH_MAX, HELPERS_OF_ONE_MAX, MemberMode, State, TurnPhase,
};
use std::collections::{BTreeMap, BTreeSet};

/// Turns, and what is counted of them.
pub fn check_turns(state: &State) {
    let mut working = BTreeMap::new();
    let mut members = BTreeSet::new();
    let mut owed = BTreeSet::new();
    for (id, turn) in &state.turns {
        assert!(
            members.insert(&turn.member),
            "{} works on two turns",
            turn.member
        );
        assert_eq!(state.members[&turn.member].turn, Some(*id));
        for message in &turn.messages {
            assert_eq!(state.messages[message].turn, Some(*id));
        }
        for call in &turn.calls {
            if let CallState::Waiting { message, .. } = &call.state {
                assert_eq!(
                    state.messages[message].call,
                    Some(call.id),
                    "nobody answers"
                );
            }
        }
        if turn.is_working() {
            *working.entry(turn.model.clone()).or_insert(0) += 1;
        }
        let can_begin =
            |call: &Call| matches!(call.state, CallState::Owed | CallState::Approved { .. });
        let waits = |call: &Call| matches!(call.state, CallState::Pending { .. } | CallState::Done);
        let is_owed = turn.phase == TurnPhase::Calls
            && !turn.checkpointed
            && turn.calls.iter().any(can_begin)
            && turn.calls.iter().all(|call| can_begin(call) || waits(call));
        for call in &turn.calls {
            if let CallState::Pending { approval } | CallState::Eliciting { approval, .. } =
                call.state
            {
                assert_eq!(state.approvals[&approval].request.call, call.id);
            }
        }
        if is_owed {
            owed.insert(*id);
        }
    }
    assert_eq!(working, state.working, "recounted");
    assert_eq!(owed, state.owed, "recounted");
    assert!(state.steered.is_empty(), "a message was not taken in");
}

/// Members, and what is counted of them.
pub fn check_members(state: &State, queue_max: u32) {
    let mut ready: BTreeMap<_, BTreeSet<(MessageId, MemberId)>> = BTreeMap::new();
    let mut expiries = BTreeSet::new();
    let mut waiting = 0;
    for (id, member) in &state.members {
        assert!(member.queue.len() <= queue_max as usize, "{id}");
        let place = |message: &MessageId| {
            let interrupts = state.messages[message].mode == MessageMode::Interrupt;
            (!interrupts, *message)
        };
        assert!(
            member.queue.iter().map(place).is_sorted(),
            "{id}: those that interrupt first, each in the order of acceptance"
        );
        assert!(!member.is_retired() || (member.queue.is_empty() && member.turn.is_none()));
        for message in &member.queue {
            let open = &state.messages[message];
            assert_eq!((&open.to, open.turn), (id, None));
            expiries.extend(open.expires.map(|due| (due, *message)));
            waiting += 1;
        }
        for peer in &member.peers {
            assert!(
                state.members[peer].peers.contains(id),
                "{peer} does not know {id}"
            );
            assert!(
                state.wired.contains_key(&Edge::between(id, peer)),
                "{id} and {peer}"
            );
        }
        let willing = matches!(member.mode, MemberMode::Active | MemberMode::Retiring);
        if let (Some(first), None, true) = (member.queue.front(), member.turn, willing) {
            ready
                .entry(member.profile.clone())
                .or_default()
                .insert((*first, id.clone()));
        }
    }
    for edge in state.wired.keys() {
        assert!(state.members[&edge.a].peers.contains(&edge.b), "{edge}");
    }
    assert_eq!(ready, state.ready, "recounted");
    assert_eq!(expiries, state.expiries, "recounted");
    let undelivered = state
        .messages
        .values()
        .filter(|message| message.turn.is_none())
        .count();
    assert_eq!(
        waiting, undelivered,
        "every message that waits stands in a queue"
    );
}

/// Helpers, and what is counted of them.
pub fn check_helpers(state: &State) {
    let mut helpers: BTreeMap<MemberId, BTreeSet<MemberId>> = BTreeMap::new();
    let mut dues = BTreeSet::new();
    for (id, member) in &state.members {
        let Some(helper) = &member.helper else {
            continue;
        };
        assert!(!member.is_retired(), "{id} is not forgotten");
        let parent = &state.members[&helper.parent];
        assert_eq!(parent.fence.generation, helper.parent_generation, "{id}");
        let gone = [
            MemberMode::Retired,
            MemberMode::Failed,
            MemberMode::Quarantined,
        ];
        assert!(!gone.contains(&parent.mode), "{id} works for nobody");
        assert!(state.lineage(id).count() <= HELPER_DEPTH_MAX, "{id}");
        dues.extend(helper.due().map(|due| (due, id.clone())));
        let others = helpers.entry(helper.parent.clone()).or_default();
        others.insert(id.clone());
        assert!(others.len() <= HELPERS_OF_ONE_MAX, "{}", helper.parent);
    }
    assert_eq!(helpers, state.helpers, "recounted");
    assert_eq!(dues, state.helper_dues, "recounted");
    assert!(state.orphans.is_empty(), "{:?}", state.orphans);
}
