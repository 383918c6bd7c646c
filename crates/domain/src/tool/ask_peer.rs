//! `ask_peer`: a message to a peer, and the wait for its answer.

use super::content::{ToolRefusal, addressed};
use super::send_message::{check_edge, refused};
use crate::draft::Draft;
use crate::event::{TurnWaiting, WaitingFor};
use crate::id::{CallId, MemberId, MessageId, Seq, TurnId};
use crate::state::{CallState, State};
use serde_json::Value;

pub(super) fn run(
    draft: &mut Draft<'_>,
    turn: TurnId,
    from: &MemberId,
    (call, started): (CallId, Seq),
    args: &Value,
) -> Result<(), ToolRefusal> {
    let (to, content) = addressed(args)?;
    check_edge(draft, from, &to)?;
    check_circle(draft.state(), from, &to)?;
    let accepted = crate::message::accept(draft, from, &to, content, Some((call, started)));
    let message = accepted.map_err(|refusal| refused(draft, from, &to, &refusal))?;
    wait(draft, (turn, from), call, (to, message));
    Ok(())
}

/// The turn waits until the message that it sent to a member is answered.
pub(super) fn wait(
    draft: &mut Draft<'_>,
    (turn, member): (TurnId, &MemberId),
    call: CallId,
    (peer, message): (MemberId, MessageId),
) {
    draft.emit_from(
        message.0,
        TurnWaiting {
            turn,
            member: member.clone(),
            on: WaitingFor::Peer,
            call,
            peer: Some(peer),
            message: Some(message),
            approval: None,
        },
    );
}

/// Refuses to ask whom nobody can answer, since the asker itself is waited for.
pub(super) fn check_circle(
    state: &State,
    from: &MemberId,
    to: &MemberId,
) -> Result<(), ToolRefusal> {
    match circle(state, from, to) {
        None => Ok(()),
        Some(circle) => {
            let reason = format!("{to} waits for you already ({circle}); answer without asking it");
            Err(ToolRefusal::new("tool.ask_circular", reason))
        }
    }
}

/// Whom a member's open turn waits for.
fn waits_for<'s>(state: &'s State, member: &MemberId) -> Option<&'s MemberId> {
    let turn = state.turns.get(&state.members.get(member)?.turn?)?;
    turn.calls.iter().find_map(|call| match &call.state {
        CallState::Waiting { peer, .. } => Some(peer),
        _ => None,
    })
}

/// The circle that asking `to` would close, if it would.
///
/// A member runs one turn at a time, so whoever waits can't answer: every chain of waits that leads
/// back to the asker would wait for ever.
fn circle(state: &State, from: &MemberId, to: &MemberId) -> Option<String> {
    let mut chain = vec![to];
    let mut at = to;
    while at != from {
        at = waits_for(state, at)?;
        chain.push(at);
        if chain.len() > state.members.len() + 1 {
            return None;
        }
    }
    let names: Vec<&str> = chain.into_iter().map(MemberId::as_str).collect();
    Some(names.join(" → "))
}
