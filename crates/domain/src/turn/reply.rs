//! A model answered.

use super::end::{self, Used};
use crate::command::StepRef;
use crate::draft::Draft;
use crate::event::{BudgetExhausted, ModelReplied, RecordedCall, TurnFailure};
use crate::id::{CallId, Seq, TurnId};
use crate::model::{Cost, Reply};
use crate::state::Turn;

/// Records the answer, and what follows from it: the end of the turn, or calls.
pub(super) fn replied(
    draft: &mut Draft<'_>,
    at: StepRef,
    turn: &Turn,
    reply: &Reply,
    latency_ms: u64,
) {
    let price = draft
        .world
        .definition
        .models
        .get(&turn.model)
        .and_then(|m| m.price.as_ref());
    let cost = price.map(|p| Cost::of(reply.usage, p.input, p.output, p.cached_input));
    let seq = draft.next_seq();
    let calls = recorded_calls(seq, reply);
    draft.emit(ModelReplied {
        turn: at.turn,
        member: turn.member.clone(),
        step: at.step,
        attempt: at.attempt,
        model: turn.model.clone(),
        text: reply.text.clone(),
        calls,
        usage: reply.usage,
        cost_usd: cost,
        finish: reply.finish,
        latency_ms,
        carry: reply.carry.clone(),
        engine: None,
    });
    let used = used_with(turn, at.step, reply, cost);
    if reply.calls.is_empty() {
        let answer = (&reply.text, reply.finish.cut());
        end::complete(draft, seq, (at.turn, turn), answer, used);
    } else {
        check_budget(draft, seq, (at.turn, turn), used);
    }
}

/// Gives every call of a reply its stable id.
pub(super) fn recorded_calls(seq: Seq, reply: &Reply) -> Vec<RecordedCall> {
    let calls = reply.calls.iter().zip(1..);
    calls
        .map(|(call, index)| RecordedCall {
            call: CallId { reply: seq, index },
            tool: call.tool.clone(),
            args: call.args.clone(),
            provider_id: call.provider_id.clone(),
        })
        .collect()
}

/// What the turn used, with a reply that is not applied yet.
pub(super) fn used_with(turn: &Turn, step: u32, reply: &Reply, cost: Option<Cost>) -> Used {
    let mut usage = turn.usage;
    usage += reply.usage;
    let total = match (turn.cost_usd(), cost) {
        (Some(mut so_far), Some(cost)) => {
            so_far += cost;
            Some(so_far)
        }
        _ => None,
    };
    Used {
        steps: step,
        usage,
        cost: total,
    }
}

/// A turn that wants to go on must have something left to go on with.
pub(super) fn check_budget(
    draft: &mut Draft<'_>,
    seq: Seq,
    (id, turn): (TurnId, &Turn),
    used: Used,
) {
    let Some(profile) = draft.profile(&turn.profile) else {
        return;
    };
    let steps_max = profile.steps_per_turn();
    let tokens = used.usage.tokens();
    let exhausted = match profile.budget.tokens_per_turn {
        _ if used.steps >= steps_max => (
            "steps_per_turn",
            u64::from(steps_max),
            u64::from(used.steps),
        ),
        Some(tokens_max) if tokens >= tokens_max => ("tokens_per_turn", tokens_max, tokens),
        _ => return,
    };
    let (budget, limit, spent) = exhausted;
    let cause = draft.emit_from(
        seq,
        BudgetExhausted {
            member: turn.member.clone(),
            turn: id,
            budget: budget.to_owned(),
            limit,
            used: spent,
        },
    );
    let reason = format!("the budget {budget} of {limit} is used up");
    end::fail(
        draft,
        cause,
        (id, turn),
        (TurnFailure::Budget, &reason),
        used,
    );
}
