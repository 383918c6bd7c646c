//! An operator says what came of a tool call that nobody else can tell.

use super::end::{self, Used};
use crate::draft::Draft;
use crate::event::{ResolveHow, ToolResolved, TurnFailure};
use crate::id::CallId;
use crate::refusal::{Refusal, RefusalKind};
use crate::state::CallState;
use crate::text::Text;

pub(super) fn resolve(
    draft: &mut Draft<'_>,
    call: CallId,
    how: ResolveHow,
    result: Option<&Text>,
) -> Result<(), Refusal> {
    let found = draft.state().turns.iter().find_map(|(id, turn)| {
        let open = turn.calls.iter().find(|c| c.id == call)?;
        Some((*id, turn, open))
    });
    let Some((id, turn, open)) = found else {
        return Err(Refusal::new(
            RefusalKind::Missing,
            "tool.not_open",
            format!("no open turn has a call {call}"),
        ));
    };
    if open.state != CallState::Unknown {
        return Err(Refusal::new(
            RefusalKind::Conflict,
            "tool.not_unknown",
            format!("nobody has to resolve {call}: its outcome is known or still to come"),
        ));
    }
    if (how == ResolveHow::Happened) != result.is_some() {
        return Err(Refusal::new(
            RefusalKind::Invalid,
            "tool.result_mismatch",
            "a result belongs to \"happened\", and only to that",
        ));
    }
    let seq = draft.order(ToolResolved {
        call,
        turn: id,
        member: turn.member.clone(),
        tool: open.tool.clone(),
        args: open.args.clone(),
        how,
        result: result.cloned(),
    });
    if how == ResolveHow::GiveUp {
        let reason = format!("{} was given up: its outcome is unknown", open.tool);
        let used = Used::so_far(turn);
        end::fail(draft, seq, (id, turn), (TurnFailure::Tool, &reason), used);
    }
    Ok(())
}
