//! How an approval ends without a decision: its time is over, or there is nothing left to decide.

use crate::definition::OnExpiry;
use crate::draft::Draft;
use crate::event::{ApprovalExpired, ApprovalRequested, Expiry, ToolRefused};
use crate::id::{ApprovalId, Seq};
use crate::state::{CallState, Turn};

/// What an agent is told where nobody decided. Nobody denied anything, so this does not say so.
const TOO_LATE: &str = "no decision in time";
/// What is said of an approval that waits on.
const WAITS_ON: &str = "no decision in time; it waits on";

/// Ends every approval whose time is over, or notes that it waits on, as its gate says.
pub(crate) fn expire(draft: &mut Draft<'_>) {
    for (due, id) in &draft.state().approval_expiries {
        if *due > draft.now {
            break;
        }
        let Some(open) = draft.state().approvals.get(id) else {
            continue;
        };
        let request = &open.request;
        match request.on_expiry {
            OnExpiry::Hold => {
                end(draft, id.0, request, Expiry::Held, WAITS_ON);
            }
            OnExpiry::Deny => {
                let seq = end(draft, id.0, request, Expiry::Denied, TOO_LATE);
                refuse(draft, seq, request, "approval.expired", TOO_LATE);
            }
        }
    }
}

fn end(
    draft: &mut Draft<'_>,
    cause: Seq,
    request: &ApprovalRequested,
    outcome: Expiry,
    reason: &str,
) -> Seq {
    draft.emit_from(
        cause,
        ApprovalExpired {
            approval: request.approval,
            call: request.call,
            turn: request.turn,
            member: request.member.clone(),
            tool: request.tool.clone(),
            outcome,
            reason: reason.to_owned(),
        },
    )
}

/// Ends a call that was not let pass.
pub(super) fn refuse(
    draft: &mut Draft<'_>,
    cause: Seq,
    request: &ApprovalRequested,
    code: &str,
    reason: &str,
) {
    draft.emit_from(
        cause,
        ToolRefused {
            call: request.call,
            turn: request.turn,
            member: request.member.clone(),
            tool: request.tool.clone(),
            args: request.args.clone(),
            code: code.to_owned(),
            reason: reason.to_owned(),
        },
    );
}

/// There is nothing left to decide about an approval, if it still waits.
pub(crate) fn withdraw(draft: &mut Draft<'_>, cause: Seq, id: ApprovalId, reason: &str) {
    if let Some(open) = draft.state().approvals.get(&id) {
        end(draft, cause, &open.request, Expiry::Withdrawn, reason);
    }
}

/// The turn has ended: nothing about its calls is left to decide.
pub(crate) fn withdraw_all(draft: &mut Draft<'_>, cause: Seq, turn: &Turn) {
    for call in &turn.calls {
        if let CallState::Pending { approval } | CallState::Eliciting { approval, .. } = call.state
        {
            withdraw(draft, cause, approval, "the turn has ended");
        }
    }
}

/// The turn was put aside and its calls were stopped, so no module waits for an answer.
pub(crate) fn withdraw_elicitations(draft: &mut Draft<'_>, cause: Seq, turn: &Turn) {
    for call in &turn.calls {
        if let CallState::Eliciting { approval, .. } = call.state {
            withdraw(draft, cause, approval, "the turn was put aside");
        }
    }
}
