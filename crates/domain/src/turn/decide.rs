//! Decisions about turns, answers and tool calls.

use super::{engine, fail, reply, resolve};
use crate::command::{StepRef, TurnCommand};
use crate::draft::{Decision, Draft};
use crate::event::{Fence, ToolFailed, ToolFinished};
use crate::id::{CallId, TurnId};
use crate::refusal::{Refusal, RefusalKind};
use crate::state::{CallState, Turn, TurnPhase};
use crate::text::Text;

pub(crate) fn decide(mut draft: Draft<'_>, command: &TurnCommand) -> Result<Decision, Refusal> {
    match command {
        TurnCommand::ModelReplied {
            at,
            reply,
            latency_ms,
        } => {
            let turn = awaited(&draft, *at)?;
            reply::replied(&mut draft, *at, turn, reply, *latency_ms);
        }
        TurnCommand::ModelFailed {
            at,
            failure,
            latency_ms,
        } => {
            let turn = awaited(&draft, *at)?;
            fail::model_failed(&mut draft, *at, turn, failure, *latency_ms);
        }
        TurnCommand::ToolEnded {
            turn,
            call,
            outcome,
        } => {
            tool_ended(&mut draft, *turn, *call, outcome)?;
        }
        TurnCommand::ToolResolve { call, how, result } => {
            resolve::resolve(&mut draft, *call, *how, result.as_ref())?;
        }
        TurnCommand::EngineReplied {
            turn,
            fence,
            reply,
            original,
        } => {
            engine::replied(&mut draft, *turn, *fence, reply, original)?;
        }
        TurnCommand::EngineEnded {
            turn,
            fence,
            outcome,
        } => {
            engine::ended(&mut draft, *turn, *fence, outcome)?;
        }
        TurnCommand::Cancel { turn, reason } => {
            open(&draft, *turn)?;
            super::cancel(
                &mut draft,
                *turn,
                reason.as_deref().unwrap_or(crate::draft::REASON_MISSING),
            );
        }
    }
    Ok(draft.done())
}

/// The turn, or the refusal that it is not open.
pub(super) fn open<'w>(draft: &Draft<'w>, id: TurnId) -> Result<&'w Turn, Refusal> {
    draft.state().turns.get(&id).ok_or_else(|| {
        Refusal::new(
            RefusalKind::Missing,
            "turn.not_open",
            format!("{id} is not open: there is no such turn, or it has ended"),
        )
    })
}

pub(super) fn stale(id: TurnId) -> Refusal {
    Refusal::new(
        RefusalKind::Conflict,
        "turn.stale",
        format!("{id} has moved on; the outcome is of an earlier step or attempt"),
    )
}

/// The turn, if it is waiting for exactly this piece of work under exactly this token.
pub(super) fn fenced<'w>(draft: &Draft<'w>, id: TurnId, fence: Fence) -> Result<&'w Turn, Refusal> {
    let turn = open(draft, id)?;
    let current = draft
        .state()
        .members
        .get(&turn.member)
        .map(|member| member.fence);
    if turn.checkpointed || turn.fence != fence || current != Some(fence) {
        return Err(stale(id));
    }
    Ok(turn)
}

fn awaited<'w>(draft: &Draft<'w>, at: StepRef) -> Result<&'w Turn, Refusal> {
    let turn = fenced(draft, at.turn, at.fence)?;
    match turn.phase {
        TurnPhase::Model { attempt, .. } if turn.step == at.step && attempt == at.attempt => {
            Ok(turn)
        }
        _ => Err(stale(at.turn)),
    }
}

fn tool_ended(
    draft: &mut Draft<'_>,
    id: TurnId,
    call: CallId,
    outcome: &Result<Text, String>,
) -> Result<(), Refusal> {
    let turn = open(draft, id)?;
    let running = turn
        .calls
        .iter()
        .find(|c| c.id == call && matches!(c.state, CallState::Running { .. }));
    let Some(running) = running else {
        return Err(stale(id));
    };
    let (member, tool, args) = (
        turn.member.clone(),
        running.tool.clone(),
        running.args.clone(),
    );
    match outcome {
        Ok(result) => {
            let result = result.clone();
            draft.emit_from(
                call.reply,
                ToolFinished {
                    call,
                    turn: id,
                    member,
                    tool,
                    result,
                },
            );
        }
        Err(reason) => {
            let reason = reason.clone();
            draft.emit_from(
                call.reply,
                ToolFailed {
                    call,
                    turn: id,
                    member,
                    tool,
                    args,
                    reason,
                },
            );
        }
    }
    Ok(())
}
