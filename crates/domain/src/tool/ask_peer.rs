//! `ask_peer`: a message to a peer, and the wait for its answer.

use super::content::{ToolRefusal, addressed};
use super::send_message::{check_edge, refused};
use crate::draft::Draft;
use crate::event::{TurnWaiting, WaitingFor};
use crate::id::{CallId, MemberId, Seq, TurnId};
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
    if let Some(circle) = circle(draft.state(), from, &to) {
        let reason = format!("{to} waits for you already ({circle}); answer without asking it");
        return Err(ToolRefusal::new("tool.ask_circular", reason));
    }
    let accepted = crate::message::accept(draft, from, &to, content, Some((call, started)));
    let message = accepted.map_err(|refusal| refused(draft, from, &to, &refusal))?;
    draft.emit_from(
        message.0,
        TurnWaiting {
            turn,
            member: from.clone(),
            on: WaitingFor::Peer,
            call,
            peer: Some(to),
            message: Some(message),
            approval: None,
        },
    );
    Ok(())
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
