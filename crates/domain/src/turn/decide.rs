//! Decisions about turns, answers and tool calls.

use super::{compaction, engine, fail, outcome, reply, resolve};
use crate::command::{StepRef, TurnCommand};
use crate::draft::{Decision, Draft};
use crate::event::Fence;
use crate::id::TurnId;
use crate::refusal::{Refusal, RefusalKind};
use crate::state::{Turn, TurnPhase};

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
        TurnCommand::SessionCompacted {
            at,
            summarised,
            latency_ms,
        } => {
            let turn = awaited(&draft, *at)?;
            compaction::compacted(&mut draft, *at, turn, summarised, *latency_ms)?;
        }
        TurnCommand::ToolEnded {
            turn,
            call,
            outcome: ended,
        } => match turn {
            Some(turn) => outcome::tool_ended(&mut draft, *turn, *call, ended)?,
            None => crate::module::direct_ended(&mut draft, *call, ended)?,
        },
        TurnCommand::ToolResolve { call, how, result } => {
            resolve::resolve(&mut draft, *call, *how, result.as_ref())?;
        }
        TurnCommand::EngineReplied { .. }
        | TurnCommand::EngineSteered { .. }
        | TurnCommand::EngineEnded { .. }
        | TurnCommand::EngineLost { .. } => by_engine(&mut draft, command)?,
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

/// What an external engine reports of its turn.
fn by_engine(draft: &mut Draft<'_>, command: &TurnCommand) -> Result<(), Refusal> {
    match command {
        TurnCommand::EngineReplied {
            turn,
            fence,
            reply,
            original,
        } => engine::replied(draft, *turn, *fence, reply, original),
        TurnCommand::EngineSteered {
            turn,
            fence,
            message,
        } => engine::steered(draft, *turn, *fence, *message),
        TurnCommand::EngineEnded {
            turn,
            fence,
            outcome,
        } => engine::ended(draft, *turn, *fence, outcome),
        TurnCommand::EngineLost {
            turn,
            fence,
            reason,
        } => engine::lost(draft, *turn, *fence, reason),
        TurnCommand::ModelReplied { .. }
        | TurnCommand::ModelFailed { .. }
        | TurnCommand::SessionCompacted { .. }
        | TurnCommand::ToolEnded { .. }
        | TurnCommand::ToolResolve { .. }
        | TurnCommand::Cancel { .. } => Ok(()),
    }
}

/// The turn, or the refusal that it is not open.
pub(crate) fn open<'w>(draft: &Draft<'w>, id: TurnId) -> Result<&'w Turn, Refusal> {
    draft.state().turns.get(&id).ok_or_else(|| {
        Refusal::new(
            RefusalKind::Missing,
            "turn.not_open",
            format!("{id} is not open: there is no such turn, or it has ended"),
        )
    })
}

pub(crate) fn stale(id: TurnId) -> Refusal {
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
