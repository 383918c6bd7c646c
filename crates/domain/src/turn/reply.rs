//! A model answered.

use super::end::Used;
use super::{answer, budget};
use crate::command::StepRef;
use crate::draft::Draft;
use crate::event::{ModelReplied, RecordedCall};
use crate::id::{CallId, Seq};
use crate::model::{Cost, Reply, Usage};
use crate::state::Turn;

/// Records the answer, and what follows from it: the end of the turn, or calls.
pub(super) fn replied(
    draft: &mut Draft<'_>,
    at: StepRef,
    turn: &Turn,
    reply: &Reply,
    latency_ms: u64,
) {
    let cost = cost(draft, turn, reply.usage);
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
        answer::answered(draft, seq, (at.turn, turn), reply, (used, cost));
    } else {
        budget::check_turn(draft, seq, (at.turn, turn), (used, cost));
    }
    budget::check_day(draft, seq, (at.turn, turn), cost);
}

/// What a call of the model cost that the turn uses; `None` where it has no price, or where an
/// external engine does not say what it used: a call without a token is none that was counted.
pub(super) fn cost(draft: &Draft<'_>, turn: &Turn, usage: Usage) -> Option<Cost> {
    let model = draft.world.definition.models.get(&turn.model)?;
    let counted = !turn.external || usage.tokens() > 0;
    let price = model.price.as_ref().filter(|_| counted)?;
    Some(Cost::of(usage, price))
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
