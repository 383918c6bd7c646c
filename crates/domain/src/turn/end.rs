//! How a turn ends, and who is told.

use crate::draft::Draft;
use crate::event::{
    ErrorEvent, ErrorRaised, NewEvent, TurnCancelled, TurnCompleted, TurnFailed, TurnFailure,
};
use crate::id::{MessageId, Seq, TurnId};
use crate::model::{Cost, Finish, Usage};
use crate::principal::Principal;
use crate::state::{CallState, Turn};
use crate::text::Text;
use serde_json::Value;

/// What a turn used up to its end, the reply that was just drafted included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Used {
    pub(super) steps: u32,
    pub(super) usage: Usage,
    pub(super) cost: Option<Cost>,
}

impl Used {
    /// What the journal says that the turn used.
    pub(super) fn so_far(turn: &Turn) -> Self {
        Self {
            steps: turn.steps(),
            usage: turn.usage,
            cost: turn.cost_usd(),
        }
    }
}

/// Ends a turn with its answer, as data as well where a schema asks for that; `finish` says why it
/// may not be whole.
pub(super) fn complete(
    draft: &mut Draft<'_>,
    cause: Seq,
    (id, turn): (TurnId, &Turn),
    (text, data, finish): (&Text, Option<Value>, Option<Finish>),
    used: Used,
) {
    let seq = draft.emit_from(
        cause,
        TurnCompleted {
            turn: id,
            member: turn.member.clone(),
            messages: turn.messages.clone(),
            text: text.clone(),
            data,
            finish,
            steps: used.steps,
            usage: used.usage,
            cost_usd: used.cost,
        },
    );
    crate::approval::withdraw_all(draft, seq, turn);
    tell_askers(draft, seq, (id, turn), Ok(text));
}

/// Ends a turn without an answer.
pub(super) fn fail(
    draft: &mut Draft<'_>,
    cause: Seq,
    (id, turn): (TurnId, &Turn),
    (class, reason): (TurnFailure, &str),
    used: Used,
) {
    let seq = draft.emit_from(
        cause,
        TurnFailed {
            turn: id,
            member: turn.member.clone(),
            messages: turn.messages.clone(),
            class,
            reason: reason.to_owned(),
            steps: used.steps,
            usage: used.usage,
            cost_usd: used.cost,
        },
    );
    let (member, reason) = (turn.member.clone(), reason.to_owned());
    let told = format!("{member} could not answer: {reason}");
    draft.emit_from(
        seq,
        ErrorRaised {
            error: ErrorEvent::TurnFailed {
                member,
                turn: id,
                class,
                reason,
            },
        },
    );
    crate::approval::withdraw_all(draft, seq, turn);
    withdraw_questions(draft, turn);
    tell_askers(draft, seq, (id, turn), Err(&told));
}

/// Ends a turn that its engine can't go on with.
pub(crate) fn lose(draft: &mut Draft<'_>, cause: Seq, id: TurnId, reason: &str) {
    let open = draft.state().turns.get(&id);
    let Some(turn) = open.filter(|_| !draft.has_ended(id)) else {
        return;
    };
    let used = Used::so_far(turn);
    fail(
        draft,
        cause,
        (id, turn),
        (TurnFailure::Engine, reason),
        used,
    );
}

/// Stops a turn, if it is open and this decision has not ended it.
pub(crate) fn cancel(draft: &mut Draft<'_>, id: TurnId, reason: &str) {
    let by = draft.actor.clone();
    stop(draft, id, reason, |event| event.by(&by));
}

/// Stops a turn, if it is open, for a message that is to be worked on instead.
pub(crate) fn interrupt(
    draft: &mut Draft<'_>,
    id: TurnId,
    reason: &str,
    (message, from): (MessageId, &Principal),
) {
    stop(draft, id, reason, |event| {
        event.by(from).caused_by(message.0)
    });
}

fn stop(
    draft: &mut Draft<'_>,
    id: TurnId,
    reason: &str,
    ordered: impl FnOnce(NewEvent) -> NewEvent,
) {
    let open = draft.state().turns.get(&id);
    let Some(turn) = open.filter(|_| !draft.has_ended(id)) else {
        return;
    };
    let used = Used::so_far(turn);
    let cancelled = NewEvent::of(TurnCancelled {
        turn: id,
        member: turn.member.clone(),
        messages: turn.messages.clone(),
        reason: reason.to_owned(),
        steps: used.steps,
        usage: used.usage,
        cost_usd: used.cost,
    });
    let seq = draft.push(ordered(cancelled));
    crate::approval::withdraw_all(draft, seq, turn);
    withdraw_questions(draft, turn);
    tell_askers(
        draft,
        seq,
        (id, turn),
        Err(&format!("the turn of {} was cancelled", turn.member)),
    );
}

/// Questions of an ended turn that nobody has taken up are not worth an answer any longer, and what
/// it delegated is stopped.
fn withdraw_questions(draft: &mut Draft<'_>, turn: &Turn) {
    for call in &turn.calls {
        let CallState::Waiting { message, .. } = &call.state else {
            continue;
        };
        let Some(asked) = draft.state().messages.get(message) else {
            continue;
        };
        if let Some(taken_up) = asked.turn {
            // A peer goes on with what it was asked; a helper works for nobody else.
            let helper = draft.state().members.get(&asked.to);
            let helper = helper.and_then(|helper| helper.helper.as_ref());
            if helper.is_some_and(|helper| helper.parent == turn.member) {
                cancel(draft, taken_up, "the turn that delegated it has ended");
            }
        } else if !draft.has_dropped(*message) {
            let member = asked.to.clone();
            draft.emit(crate::event::MessageCancelled {
                message: *message,
                member,
                reason: "the turn that asked has ended".to_owned(),
            });
        }
    }
}

fn tell_askers(
    draft: &mut Draft<'_>,
    cause: Seq,
    (id, turn): (TurnId, &Turn),
    outcome: Result<&Text, &str>,
) {
    for message in &turn.messages {
        let Some(open) = draft.state().messages.get(message) else {
            continue;
        };
        if matches!(open.from, Principal::Agent(_)) {
            crate::message::answer_asker(draft, cause, open, outcome);
        }
        let ended = outcome.map(|_| ());
        crate::schedule::message_ended(draft, cause, *message, Some(id), ended);
    }
}
