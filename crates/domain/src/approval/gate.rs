//! Which gate a tool call meets, and what it makes of the call.

use crate::definition::{Definition, Gate, GateAction, Unattended};
use crate::principal::Principal;
use crate::state::Turn;

/// What the gates of now make of a call, grants and approvals aside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Passage<'w> {
    /// It passes.
    Free,
    /// It passes, and the gate is recorded with it.
    Audited(&'w Gate),
    /// It needs a decision or a grant.
    Review(&'w Gate),
    /// It does not pass. The text says what the gate does, for the agent.
    Shut(&'w Gate, &'static str),
}

/// The gate that a call meets: the first one in the order of the mob file that guards one of the
/// tools that it reaches.
fn gate_of<'w>(definition: &'w Definition, turn: &Turn, tools: &[&str]) -> Option<&'w Gate> {
    definition.gates.iter().find(|gate| {
        let all = gate.profiles.is_empty() && gate.members.is_empty();
        let named = gate.profiles.contains(&turn.profile) || gate.members.contains(&turn.member);
        tools.iter().any(|tool| gate.tool.matches(tool)) && (all || named)
    })
}

/// What the gates of now make of a call in this turn that reaches these tools: the one that is
/// called, and one that a route calls in its place.
pub(crate) fn passage<'w>(definition: &'w Definition, turn: &Turn, tools: &[&str]) -> Passage<'w> {
    let Some(gate) = gate_of(definition, turn, tools) else {
        return Passage::Free;
    };
    let unattended = turn.origin == Principal::Runtime;
    match (gate.action, gate.unattended) {
        (GateAction::Allow, _) => Passage::Free,
        (GateAction::Audit, _) => Passage::Audited(gate),
        (GateAction::Deny, _) => Passage::Shut(gate, "refuses this call"),
        (GateAction::Review, Unattended::Allow) if unattended => Passage::Audited(gate),
        (GateAction::Review, Unattended::Deny) if unattended => {
            Passage::Shut(gate, "asks for a decision, and nobody attends this turn")
        }
        (GateAction::Review, Unattended::Queue | Unattended::Allow | Unattended::Deny) => {
            Passage::Review(gate)
        }
    }
}
