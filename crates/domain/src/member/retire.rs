//! How a member leaves.

use crate::draft::Draft;
use crate::event::{EdgeUnwired, MemberRetired, MemberRetiring, RetireMode, UnwireReason};
use crate::id::MemberId;
use crate::state::{Member, MemberMode};

/// Begins to let a member leave; [`leave`] follows by itself once nothing is open.
pub(crate) fn retire(
    draft: &mut Draft<'_>,
    id: &MemberId,
    member: &Member,
    mode: RetireMode,
    reason: Option<&str>,
) {
    // Who can't begin a turn can't work its queue off either.
    let broken = matches!(member.mode, MemberMode::Failed | MemberMode::Quarantined);
    let mode = if broken || member.starting {
        RetireMode::Now
    } else {
        mode
    };
    let reason = reason.map(str::to_owned);
    if member.mode != MemberMode::Retiring || mode == RetireMode::Now {
        draft.order(MemberRetiring {
            member: id.clone(),
            mode,
            reason,
        });
    }
    if mode == RetireMode::Drain {
        return;
    }
    if let Some(turn) = member.turn {
        crate::turn::cancel(draft, turn, "the member was retired");
    }
    turn_away(draft, member, "the member was retired");
}

/// Withdraws every message that waits for a member.
pub(crate) fn turn_away(draft: &mut Draft<'_>, member: &Member, reason: &str) {
    for message in &member.queue {
        if let Some(waiting) = draft.state().messages.get(message) {
            crate::message::cancel(draft, *message, waiting, reason);
        }
    }
}

/// The member has nothing left to do: its edges go, then it goes.
pub(crate) fn leave(draft: &mut Draft<'_>, id: &MemberId) {
    let Some(member) = draft.state().members.get(id) else {
        return;
    };
    for peer in &member.peers {
        let edge = crate::edge::Edge::between(id, peer);
        let reason = UnwireReason::MemberRetired;
        draft.emit(EdgeUnwired {
            a: edge.a,
            b: edge.b,
            reason,
        });
    }
    draft.emit(MemberRetired {
        member: id.clone(),
        deleted: false,
        reason: member.leaving_why.clone(),
    });
}
