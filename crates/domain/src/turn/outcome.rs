//! What came of a tool call that was handed to a runner.

use super::decide::{open, stale};
use crate::command::ToolOutcome;
use crate::draft::Draft;
use crate::event::{ToolEffect, ToolFailed, ToolFinished, ToolUnknown, TurnWaiting, WaitingFor};
use crate::id::{CallId, Seq, TurnId};
use crate::refusal::Refusal;
use crate::state::{Call, CallState, Turn};

pub(super) fn tool_ended(
    draft: &mut Draft<'_>,
    id: TurnId,
    call: CallId,
    outcome: &ToolOutcome,
) -> Result<(), Refusal> {
    let turn = open(draft, id)?;
    let found = turn.calls.iter().find(|open| open.id == call);
    let in_flight = found.and_then(|open| Some((open, effect_in_flight(open)?)));
    let Some((running, effect)) = in_flight else {
        return Err(stale(id));
    };
    if let CallState::Eliciting { approval, .. } = running.state {
        crate::approval::withdraw(draft, call.reply, approval, "the call has ended");
    }
    let member = Some(turn.member.clone());
    let tool = running.tool.clone();
    match (outcome, effect) {
        (ToolOutcome::Finished(result), _) => {
            let finished = ToolFinished {
                call,
                turn: Some(id),
                member,
                tool,
                result: result.clone(),
            };
            draft.emit_from(call.reply, finished);
        }
        (ToolOutcome::Lost(reason), ToolEffect::Effect) => {
            unknown(draft, call.reply, (id, turn), (running, reason));
        }
        (
            ToolOutcome::Failed(reason) | ToolOutcome::Lost(reason),
            ToolEffect::Read | ToolEffect::Idempotent | ToolEffect::Effect,
        ) => {
            let failed = ToolFailed {
                call,
                turn: Some(id),
                member,
                tool,
                args: running.args.clone(),
                reason: reason.clone(),
            };
            draft.emit_from(call.reply, failed);
        }
    }
    Ok(())
}

/// What a repetition would do of a call that a runner has; `None`: no runner has it.
pub(super) fn effect_in_flight(call: &Call) -> Option<ToolEffect> {
    match call.state {
        CallState::Running { effect } | CallState::Eliciting { effect, .. } => Some(effect),
        CallState::Owed
        | CallState::Pending { .. }
        | CallState::Approved { .. }
        | CallState::Waiting { .. }
        | CallState::Unknown
        | CallState::Done => None,
    }
}

/// Nobody can say whether the call happened: the turn waits for a person who does.
pub(super) fn unknown(
    draft: &mut Draft<'_>,
    cause: Seq,
    (id, turn): (TurnId, &Turn),
    (call, reason): (&Call, &str),
) {
    let unknown = ToolUnknown {
        call: call.id,
        turn: Some(id),
        member: Some(turn.member.clone()),
        tool: call.tool.clone(),
        args: call.args.clone(),
        reason: Some(reason.to_owned()),
    };
    let seq = draft.emit_from(cause, unknown);
    draft.emit_from(
        seq,
        TurnWaiting {
            turn: id,
            member: turn.member.clone(),
            on: WaitingFor::Operator,
            call: call.id,
            peer: None,
            message: None,
            approval: None,
        },
    );
}
