//! How the calls of a reply are worked off: what needs a decision is asked for at once, the rest is
//! made one by one, side by side where all only read.

use super::catalogue::{Found, find};
use super::check::{Check, Permit, check};
use super::content::ToolRefusal;
use super::{ask_peer, delegate, deliver, peers, schedules, send_message, tasks};
use crate::draft::Draft;
use crate::event::{ToolEffect, ToolFinished, ToolRefused, ToolStarted};
use crate::id::{MemberId, Seq, TurnId};
use crate::state::{Call, CallState, Turn};
use crate::text::Text;

/// Why nobody knows what came of a call that was in flight when the process died.
pub(crate) const MOBKIT_ENDED: &str = "mobkit ended in the middle of the call";

/// Looks at the next calls of a turn that nobody has looked at, or that were let pass.
pub(crate) fn next_call(draft: &mut Draft<'_>, id: TurnId) {
    let Some(turn) = draft.state().turns.get(&id) else {
        return;
    };
    let reads = |call: &Call| {
        let found = find(draft.world, &call.tool);
        found.is_some_and(|found| found.effect() == ToolEffect::Read)
    };
    let side_by_side = turn.calls.iter().all(reads);
    let mut room = if side_by_side { turn.calls.len() } else { 1 };
    // A person sees all that a reply needs a decision for at the same time.
    let first_look = turn.calls.iter().all(|call| call.state == CallState::Owed);
    for call in turn.calls.iter().filter(|call| call.state.is_owed()) {
        if room == 0 && !first_look {
            break;
        }
        match check(draft, (id, turn), call) {
            Check::Ask(found, asked) => {
                crate::approval::request(draft, (id, turn), call, found.effect(), asked);
            }
            Check::Refuse(_) | Check::Make(..) if room == 0 => {}
            Check::Refuse(why) => {
                room -= 1;
                refuse(draft, id, turn, call, &why);
            }
            Check::Make(found, permit) => {
                room -= 1;
                start(draft, (id, turn), call, found, permit);
            }
        }
    }
}

fn start(
    draft: &mut Draft<'_>,
    (id, turn): (TurnId, &Turn),
    call: &Call,
    found: Found<'_>,
    permit: Permit,
) {
    if let Found::Module { module, .. } | Found::Unlisted { module, .. } = found
        && let Err(reason) = crate::module::before_call(draft, module)
    {
        let away = ToolRefusal::new("module.unavailable", reason);
        return refuse(draft, id, turn, call, &away);
    }
    if let Found::Away(spec) = found {
        let away = format!("the program that offers {} has gone", spec.name);
        return refuse(draft, id, turn, call, &ToolRefusal::new("host.away", away));
    }
    let Permit {
        approval,
        grant,
        audit,
    } = permit;
    let started = draft.emit_from(
        call.id.reply,
        ToolStarted {
            call: call.id,
            turn: Some(id),
            member: Some(turn.member.clone()),
            tool: call.tool.clone(),
            args: call.args.clone(),
            effect: found.effect(),
            approval,
            grant,
            audit,
        },
    );
    if matches!(found, Found::BuiltIn(_)) {
        run_built_in(draft, (id, turn), call, started);
    }
}

fn run_built_in(draft: &mut Draft<'_>, (id, turn): (TurnId, &Turn), call: &Call, started: Seq) {
    let member: &MemberId = &turn.member;
    let outcome = match call.tool.as_str() {
        "now" => Ok(Some(Text::from(draft.now.to_string()))),
        "peers" => Ok(Some(peers::run(draft, member))),
        "deliver" => deliver::run(draft, (id, member), started, &call.args).map(Some),
        "schedule_list" => Ok(Some(schedules::list(draft, member))),
        "schedule_put" => schedules::put(draft, member, &call.args).map(Some),
        "schedule_remove" => schedules::remove(draft, member, &call.args).map(Some),
        "delegate" => {
            delegate::run(draft, (id, member), (call.id, started), &call.args).map(|()| None)
        }
        "task_add" => tasks::add(draft, member, started, &call.args).map(Some),
        "task_list" => tasks::list(draft, &call.args).map(Some),
        "task_update" => tasks::update(draft, member, started, &call.args).map(Some),
        "send_message" => send_message::run(draft, member, &call.args).map(Some),
        _ => ask_peer::run(draft, id, member, (call.id, started), &call.args).map(|()| None),
    };
    match outcome {
        Ok(None) => {}
        Ok(Some(result)) => {
            let (member, tool) = (member.clone(), call.tool.clone());
            draft.emit_from(
                started,
                ToolFinished {
                    call: call.id,
                    turn: Some(id),
                    member: Some(member),
                    tool,
                    result,
                },
            );
        }
        Err(refusal) => refuse(draft, id, turn, call, &refusal),
    }
}

fn refuse(draft: &mut Draft<'_>, id: TurnId, turn: &Turn, call: &Call, why: &ToolRefusal) {
    draft.emit_from(
        call.id.reply,
        ToolRefused {
            call: call.id,
            turn: id,
            member: turn.member.clone(),
            tool: call.tool.clone(),
            args: call.args.clone(),
            code: why.code.to_owned(),
            reason: why.reason.clone(),
        },
    );
}
