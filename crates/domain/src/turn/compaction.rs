//! When the old turns of a session are summarised, and what is recorded of it.

use super::decide::stale;
use crate::command::{StepRef, Summarised};
use crate::definition::Compaction;
use crate::draft::Draft;
use crate::event::SessionCompacted;
use crate::refusal::Refusal;
use crate::state::Turn;
use crate::world::World;

/// How the session is to be compacted before this model call, if it is: only before the first step
/// of a turn, and once the session has reached the size that the profile names.
pub fn compaction_due(world: &World, at: StepRef) -> Option<Compaction> {
    let turn = world.state.turns.get(&at.turn)?;
    let member = world.state.members.get(&turn.member)?;
    let profile = world.definition.profiles.get(&turn.profile)?;
    let compaction = profile.compaction?;
    let begins = at.step == 1 && at.attempt == 1 && !turn.external;
    (begins && member.session_tokens >= compaction.at_tokens).then_some(compaction)
}

/// Records a summary. It ends where the session is summarised no further already.
pub(super) fn compacted(
    draft: &mut Draft<'_>,
    at: StepRef,
    turn: &Turn,
    summarised: &Summarised,
    latency_ms: u64,
) -> Result<(), Refusal> {
    let member = draft.member(&turn.member)?;
    let before = draft.state().compacted.get(&member.session).copied();
    if before.is_some_and(|before| before >= summarised.until) || at.step != 1 {
        return Err(stale(at.turn));
    }
    let cost = super::reply::cost(draft, turn, summarised.usage);
    draft.emit(SessionCompacted {
        session: member.session,
        member: turn.member.clone(),
        turn: at.turn,
        from: summarised.from,
        until: summarised.until,
        turns: summarised.turns,
        summary: summarised.summary.clone(),
        tokens_before: member.session_tokens,
        tokens_after: summarised.tokens_after,
        model: turn.model.clone(),
        usage: summarised.usage,
        cost_usd: cost,
        latency_ms,
    });
    Ok(())
}
