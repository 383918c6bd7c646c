//! How a turn ends, and who is told.

use crate::draft::Draft;
use crate::event::{
    ErrorEvent, ErrorRaised, TurnCancelled, TurnCompleted, TurnFailed, TurnFailure,
};
use crate::id::{Seq, TurnId};
use crate::model::{Cost, Finish, Usage};
use crate::principal::Principal;
use crate::state::{CallState, Turn};
use crate::text::Text;

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

/// Ends a turn with its answer; `finish` says why that may not be whole.
pub(super) fn complete(
    draft: &mut Draft<'_>,
    cause: Seq,
    (id, turn): (TurnId, &Turn),
    (text, finish): (&Text, Option<Finish>),
    used: Used,
) {
    let seq = draft.emit_from(
        cause,
        TurnCompleted {
            turn: id,
            member: turn.member.clone(),
            messages: turn.messages.clone(),
            text: text.clone(),
            data: None,
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
    let Some(turn) = draft.state().turns.get(&id) else {
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

/// Stops a turn, if it is open.
pub(crate) fn cancel(draft: &mut Draft<'_>, id: TurnId, reason: &str) {
    let Some(turn) = draft.state().turns.get(&id) else {
        return;
    };
    let used = Used::so_far(turn);
    let seq = draft.order(TurnCancelled {
        turn: id,
        member: turn.member.clone(),
        messages: turn.messages.clone(),
        reason: reason.to_owned(),
        steps: used.steps,
        usage: used.usage,
        cost_usd: used.cost,
    });
    crate::approval::withdraw_all(draft, seq, turn);
    withdraw_questions(draft, turn);
    tell_askers(
        draft,
        seq,
        (id, turn),
        Err(&format!("the turn of {} was cancelled", turn.member)),
    );
}

/// Questions of an ended turn that nobody has taken up are not worth an answer any longer.
fn withdraw_questions(draft: &mut Draft<'_>, turn: &Turn) {
    for call in &turn.calls {
        let CallState::Waiting { message, .. } = &call.state else {
            continue;
        };
        let asked = draft.state().messages.get(message);
        let open = asked.filter(|asked| asked.turn.is_none() && !draft.has_dropped(*message));
        if let Some(waiting) = open {
            let member = waiting.to.clone();
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
