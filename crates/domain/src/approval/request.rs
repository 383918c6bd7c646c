//! How a person is asked about a tool call.

use crate::canonical::{canonical_json, sha256_hex};
use crate::definition::{Gate, OnExpiry};
use crate::draft::Draft;
use crate::event::{ApprovalRequested, Matter, ToolEffect, TurnWaiting, WaitingFor};
use crate::id::{ApprovalId, Seq, TurnId};
use crate::state::{Call, Turn};
use serde::Serialize;
use serde_json::json;

/// A question about a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked<'w> {
    /// What is to be decided.
    pub(crate) matter: Matter,
    /// Version of the rule that stopped the call.
    pub(crate) policy: String,
    /// Why it waits, one line for a person.
    pub(crate) why: String,
    /// The tool of a module that the call would reach over a route.
    pub(crate) sink: Option<String>,
    /// The gate that says who may decide, and for how long it waits.
    pub(crate) gate: Option<&'w Gate>,
}

/// Version of a rule: two rules that say the same have the same version.
pub(crate) fn version(rule: &impl Serialize) -> String {
    let rule = serde_json::to_value(rule).expect("rules have string keys only");
    format!("sha256:{}", sha256_hex(canonical_json(&rule)))
}

/// Asks, and lets the turn wait. Returns the position of `approval.requested`.
pub(crate) fn request(
    draft: &mut Draft<'_>,
    (id, turn): (TurnId, &Turn),
    call: &Call,
    effect: ToolEffect,
    asked: Asked<'_>,
) -> Seq {
    let Asked {
        matter,
        policy,
        why,
        sink,
        gate,
    } = asked;
    let approval = ApprovalId(draft.next_seq());
    let digest = version(&json!({
        "tool": call.tool,
        "args": call.args,
        "member": turn.member,
        "turn": id,
        "call": call.id,
        "matter": matter,
        "policy": policy,
    }));
    // A module that asks waits no longer than its call, which has a time of its own.
    let waits = gate.filter(|_| !matches!(matter, Matter::Elicitation { .. }));
    let expires = waits.and_then(|gate| Some(draft.now.plus_ms(gate.expires_ms?)));
    let requested = ApprovalRequested {
        approval,
        call: call.id,
        turn: id,
        member: turn.member.clone(),
        tool: call.tool.clone(),
        sink,
        args: call.args.clone(),
        effect,
        digest,
        policy,
        matter,
        why,
        origin: turn.origin.clone(),
        messages: turn.messages.clone(),
        approvers: gate.map_or_else(Vec::new, |gate| gate.approvers.clone()),
        four_eyes: gate.is_some_and(|gate| gate.four_eyes),
        expires,
        on_expiry: waits.map_or(OnExpiry::Deny, |gate| gate.on_expiry),
    };
    let seq = draft.emit_from(call.id.reply, requested);
    draft.emit_from(
        seq,
        TurnWaiting {
            turn: id,
            member: turn.member.clone(),
            on: WaitingFor::Approval,
            call: call.id,
            peer: None,
            message: None,
            approval: Some(approval),
        },
    );
    seq
}
