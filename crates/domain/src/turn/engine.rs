//! What an external engine reports of a turn that it runs as a whole.

use super::answer::data_of;
use super::budget::{check_day, check_turn};
use super::decide::{fenced, stale};
use super::end::{self, Used};
use super::recover;
use super::reply::{recorded_calls, used_with};
use crate::draft::Draft;
use crate::event::{ENGINE_LOST, Fence, MessageSteered, ModelReplied, TurnFailure};
use crate::id::{MessageId, TurnId};
use crate::model::Reply;
use crate::refusal::Refusal;
use crate::state::TurnPhase;
use crate::text::Text;
use serde_json::Value;

/// A step that the engine made; the calls in it are ours to make, like those of a native turn.
pub(super) fn replied(
    draft: &mut Draft<'_>,
    id: TurnId,
    fence: Fence,
    reply: &Reply,
    original: &Value,
) -> Result<(), Refusal> {
    let turn = fenced(draft, id, fence)?;
    if turn.phase != TurnPhase::External {
        return Err(stale(id));
    }
    let seq = draft.next_seq();
    let cost = super::reply::cost(draft, turn, reply.usage);
    draft.emit(ModelReplied {
        turn: id,
        member: turn.member.clone(),
        step: turn.step + 1,
        attempt: 1,
        model: turn.model.clone(),
        text: reply.text.clone(),
        calls: recorded_calls(seq, reply),
        usage: reply.usage,
        cost_usd: cost,
        finish: reply.finish,
        latency_ms: 0,
        carry: reply.carry.clone(),
        engine: Some(original.clone()),
    });
    if !reply.calls.is_empty() {
        let used = used_with(turn, turn.step + 1, reply, cost);
        check_turn(draft, seq, (id, turn), (used, cost));
    }
    check_day(draft, seq, (id, turn), cost);
    Ok(())
}

/// The engine ended under the turn and can be asked again: the turn goes on, as after a crash.
/// Calls in flight are in this process and stay there, and whoever is waited for is waited for.
pub(super) fn lost(
    draft: &mut Draft<'_>,
    id: TurnId,
    fence: Fence,
    reason: &str,
) -> Result<(), Refusal> {
    let turn = fenced(draft, id, fence)?;
    if !turn.external {
        return Err(stale(id));
    }
    recover::go_on(draft, id.0, (id, turn), (ENGINE_LOST, reason));
    Ok(())
}

/// The engine took a message into the turn. One that does not wait for this turn any longer is
/// refused.
pub(super) fn steered(
    draft: &mut Draft<'_>,
    id: TurnId,
    fence: Fence,
    message: MessageId,
) -> Result<(), Refusal> {
    let turn = fenced(draft, id, fence)?;
    let waits = draft.state().steering(id).any(|waiting| waiting == message);
    if !turn.external || !waits {
        return Err(stale(id));
    }
    draft.emit_from(
        message.0,
        MessageSteered {
            message,
            member: turn.member.clone(),
            turn: id,
        },
    );
    Ok(())
}

/// The engine ended the turn.
pub(super) fn ended(
    draft: &mut Draft<'_>,
    id: TurnId,
    fence: Fence,
    outcome: &Result<Text, String>,
) -> Result<(), Refusal> {
    let turn = fenced(draft, id, fence)?;
    // An engine can be lost at any time; an answer is one only after its calls have ended.
    if !turn.external || (outcome.is_ok() && turn.phase != TurnPhase::External) {
        return Err(stale(id));
    }
    let used = Used::so_far(turn);
    let cause = id.0;
    let answer = outcome
        .as_ref()
        .map(|text| (text, data_of(draft, turn, text)));
    match answer {
        Ok((text, Ok(data))) => {
            let answer = (text, data, turn.finish);
            end::complete(draft, cause, (id, turn), answer, used);
        }
        // Its engine has ended the turn: nobody can ask the model once more.
        Ok((_, Err(why))) => {
            let class = TurnFailure::OutputSchema;
            end::fail(draft, cause, (id, turn), (class, &why), used);
        }
        Err(reason) => {
            end::fail(
                draft,
                cause,
                (id, turn),
                (TurnFailure::Engine, reason),
                used,
            );
        }
    }
    Ok(())
}
