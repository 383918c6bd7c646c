//! What becomes of open turns that were interrupted: by the end of mobkit, or of their engine.

use super::end::{self, Used};
use super::outcome::{effect_in_flight, unknown};
use crate::draft::Draft;
use crate::event::{
    ErrorEvent, ErrorRaised, MemberQuarantined, RuntimeRecovered, ToolEffect, TurnFailure,
    TurnResumed,
};
use crate::id::{Seq, TurnId};
use crate::state::{CallState, MemberMode, Stage, Turn, TurnPhase};
use crate::tool::MOBKIT_ENDED;

/// A member is quarantined at the recovery of this number in a row without a recorded step.
pub const RECOVERIES_MAX: u32 = 3;

/// Resumes every open turn at its last recorded step, or quarantines its member.
pub(crate) fn recover(draft: &mut Draft<'_>) {
    let state = draft.state();
    if state.head == 0 {
        return;
    }
    let (aside, interrupted): (Vec<_>, Vec<_>) =
        state.turns.iter().partition(|(_, turn)| turn.checkpointed);
    let ids = |turns: &[(&TurnId, &Turn)]| turns.iter().map(|(id, _)| **id).collect::<Vec<_>>();
    let cause = draft.emit(RuntimeRecovered {
        turns_checkpointed: ids(&aside),
        turns_interrupted: ids(&interrupted),
        messages_waiting: state.messages.values().filter(|m| m.turn.is_none()).count() as u64,
        clean: state.stage == Stage::Stopped,
    });
    for (id, turn) in &state.turns {
        // One that a member delegated ends with the turn that waits for it.
        if draft.has_ended(*id) {
            continue;
        }
        recover_turn(draft, cause, *id, turn);
    }
}

fn recover_turn(draft: &mut Draft<'_>, cause: Seq, id: TurnId, turn: &Turn) {
    let reason = if turn.checkpointed {
        "checkpoint"
    } else {
        "crash"
    };
    let Some(seq) = go_on(draft, cause, (id, turn), (reason, "mobkit ended in it")) else {
        return;
    };
    for call in &turn.calls {
        if let CallState::Eliciting { approval, .. } = call.state {
            // The module that asked has died with the process.
            crate::approval::withdraw(draft, seq, approval, "the process ended in the call");
        }
        if effect_in_flight(call) == Some(ToolEffect::Effect) {
            unknown(draft, seq, (id, turn), (call, MOBKIT_ENDED));
        }
    }
}

/// Lets a turn go on that was interrupted, or quarantines its member where that happened too often
/// without a recorded step: `reason` is a word for it, `how` says it for a person. Returns the
/// position of `turn.resumed`.
pub(super) fn go_on(
    draft: &mut Draft<'_>,
    cause: Seq,
    (id, turn): (TurnId, &Turn),
    (reason, how): (&str, &str),
) -> Option<Seq> {
    // Only work that was in flight can be to blame; who waits is not.
    let pauses =
        matches!(turn.phase, TurnPhase::Model { not_before, .. } if not_before > draft.now);
    let suspect = !turn.checkpointed && turn.is_in_flight() && !pauses;
    let recoveries = turn.recoveries + u32::from(suspect);
    if recoveries >= RECOVERIES_MAX {
        quarantine(draft, cause, (id, turn), how);
        return None;
    }
    resume(draft, cause, (id, turn), recoveries, reason)
}

/// Lets a turn go on, or ends it where its role or model is gone. Returns the position of
/// `turn.resumed`.
pub(crate) fn resume(
    draft: &mut Draft<'_>,
    cause: Seq,
    (id, turn): (TurnId, &Turn),
    recoveries: u32,
    reason: &str,
) -> Option<Seq> {
    let gone = if draft.profile(&turn.profile).is_none() {
        Some(format!("the definition has no profile {}", turn.profile))
    } else if !draft.world.definition.models.contains_key(&turn.model) {
        Some(format!("the definition has no model {}", turn.model))
    } else {
        None
    };
    if let Some(gone) = gone {
        let used = Used::so_far(turn);
        end::fail(
            draft,
            cause,
            (id, turn),
            (TurnFailure::Definition, &gone),
            used,
        );
        return None;
    }
    let member = turn.member.clone();
    let reason = reason.to_owned();
    let resumed = TurnResumed {
        turn: id,
        member,
        step: turn.step,
        recoveries,
        reason,
    };
    Some(draft.emit_from(cause, resumed))
}

fn quarantine(draft: &mut Draft<'_>, cause: Seq, (id, turn): (TurnId, &Turn), how: &str) {
    let reason =
        format!("{id} was interrupted {RECOVERIES_MAX} times without getting on, at last: {how}");
    let used = Used::so_far(turn);
    end::fail(
        draft,
        cause,
        (id, turn),
        (TurnFailure::Quarantined, &reason),
        used,
    );
    let member = turn.member.clone();
    let found = draft.state().members.get(&member);
    let seq = if let Some(leaving) = found.filter(|found| found.mode == MemberMode::Retiring) {
        // Who leaves anyway is not kept; what still waits would meet the same end.
        crate::member::turn_away(draft, leaving, &reason);
        cause
    } else {
        let (member, reason) = (member.clone(), reason.clone());
        draft.emit_from(
            cause,
            MemberQuarantined {
                member,
                turn: id,
                reason,
            },
        )
    };
    crate::member::helper_failed(draft, &member, &reason);
    draft.emit_from(
        seq,
        ErrorRaised {
            error: ErrorEvent::MemberCrashed {
                member,
                error: reason,
            },
        },
    );
}
