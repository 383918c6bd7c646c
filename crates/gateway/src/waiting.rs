//! Whom a turn waits for.

use mobkit_domain::event::WaitingFor;
use mobkit_domain::id::{ApprovalId, CallId, MemberId};
use mobkit_domain::state::{CallState, Turn};
use schemars::JsonSchema;
use serde::Serialize;

/// Whom a turn waits for, and over which tool call. Of several the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct WaitingOn {
    /// `approval`, `peer` or `operator`.
    pub what: WaitingFor,
    /// The tool call.
    pub call: CallId,
    /// What somebody has to decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
    /// The member that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<MemberId>,
}

/// Whom the turn waits for; `None` while it works.
pub(crate) fn waiting_on(turn: &Turn) -> Option<WaitingOn> {
    if turn.is_working() {
        return None;
    }
    let waiting = turn.waiting_call()?;
    let on = |what| WaitingOn {
        what,
        call: waiting.id,
        approval: None,
        peer: None,
    };
    match &waiting.state {
        CallState::Pending { approval } | CallState::Eliciting { approval, .. } => {
            Some(WaitingOn {
                approval: Some(*approval),
                ..on(WaitingFor::Approval)
            })
        }
        CallState::Waiting { peer, .. } => Some(WaitingOn {
            peer: Some(peer.clone()),
            ..on(WaitingFor::Peer)
        }),
        CallState::Unknown => Some(on(WaitingFor::Operator)),
        CallState::Owed
        | CallState::Approved { .. }
        | CallState::Running { .. }
        | CallState::Done => None,
    }
}
