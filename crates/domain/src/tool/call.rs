//! How the calls of a reply are worked off: one by one, side by side where all only read.

use super::built_in::built_in_effect;
use super::content::ToolRefusal;
use super::{ask_peer, peers, send_message};
use crate::draft::Draft;
use crate::event::{ToolEffect, ToolFinished, ToolRefused, ToolStarted};
use crate::id::{MemberId, TurnId};
use crate::state::{Call, CallState, Turn};
use crate::text::Text;
use serde_json::Value;

/// Looks at the next calls of a turn that nobody has looked at.
pub(crate) fn next_call(draft: &mut Draft<'_>, id: TurnId) {
    let Some(turn) = draft.state().turns.get(&id) else {
        return;
    };
    let owed = turn
        .calls
        .iter()
        .filter(|call| call.state == CallState::Owed);
    let reads = |call: &Call| {
        let host = || Some(draft.world.toolbox.0.get(&call.tool)?.effect);
        let effect = built_in_effect(&call.tool).or_else(host);
        effect == Some(ToolEffect::Read)
    };
    let side_by_side = turn.calls.iter().all(reads);
    let batch = if side_by_side { turn.calls.len() } else { 1 };
    for call in owed.take(batch) {
        start(draft, id, turn, call);
    }
}

fn start(draft: &mut Draft<'_>, id: TurnId, turn: &Turn, call: &Call) {
    let offered = draft
        .profile(&turn.profile)
        .is_some_and(|p| p.offers(&call.tool));
    let host = draft.world.toolbox.0.get(&call.tool);
    let built_in = built_in_effect(&call.tool);
    let effect = built_in
        .or(host.map(|spec| spec.effect))
        .filter(|_| offered);
    let Some(effect) = effect else {
        return refuse(draft, id, turn, call, &not_offered(draft, turn, call));
    };
    if let Some(bad) = unreadable(&call.args) {
        return refuse(draft, id, turn, call, &bad);
    }
    let started = draft.emit_from(
        call.id.reply,
        ToolStarted {
            call: call.id,
            turn: id,
            member: turn.member.clone(),
            tool: call.tool.clone(),
            args: call.args.clone(),
            effect,
        },
    );
    if built_in.is_none() {
        return;
    }
    let member: &MemberId = &turn.member;
    let outcome = match call.tool.as_str() {
        "now" => Ok(Some(Text::from(draft.now.to_string()))),
        "peers" => Ok(Some(peers::run(draft, member))),
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
                    turn: id,
                    member,
                    tool,
                    result,
                },
            );
        }
        Err(refusal) => refuse(draft, id, turn, call, &refusal),
    }
}

fn not_offered(draft: &Draft<'_>, turn: &Turn, call: &Call) -> ToolRefusal {
    let specs = super::built_in_specs();
    let names = specs
        .iter()
        .map(|s| &s.name)
        .chain(draft.world.toolbox.0.keys());
    let profile = draft.profile(&turn.profile);
    let offered: Vec<&str> = names
        .map(String::as_str)
        .filter(|name| profile.is_some_and(|p| p.offers(name)))
        .collect();
    ToolRefusal::new(
        "tool.not_offered",
        format!(
            "there is no tool {:?}; you have: {}",
            call.tool,
            offered.join(", ")
        ),
    )
}

/// Arguments must be an object; text that was meant to be one is a mistake of the model.
fn unreadable(args: &Value) -> Option<ToolRefusal> {
    match args {
        Value::Object(_) => None,
        other => Some(ToolRefusal::new(
            "tool.bad_arguments",
            format!(
                "arguments must be a JSON object, found {}",
                Text::from(other.to_string()).excerpt(80)
            ),
        )),
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
