//! Which gate a tool call meets, and what it makes of the call.

use crate::definition::{Definition, Gate, GateAction, Unattended};
use crate::id::{MemberId, ProfileId};
use crate::principal::Principal;
use crate::state::Turn;
use crate::world::World;

/// What the gates of now make of a call, grants and approvals aside.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Passage<'w> {
    /// It passes.
    Free,
    /// It passes, and the gate is recorded with it.
    Audited(&'w Gate),
    /// Each of these wants a decision, in this order; where there is but one, a grant does too.
    Review(Vec<&'w Gate>),
    /// It does not pass. The text says what the gate does, for the agent.
    Shut(&'w Gate, &'static str),
}

/// The gate that a call of a member in a role meets: the first one in the order of the mob file
/// that guards one of the tools that it reaches.
fn gate_of<'w>(
    definition: &'w Definition,
    (role, member): (&ProfileId, &MemberId),
    tools: &[&str],
) -> Option<&'w Gate> {
    definition.gates.iter().find(|gate| {
        let all = gate.profiles.is_empty() && gate.members.is_empty();
        let named = gate.profiles.contains(role) || gate.members.contains(member);
        tools.iter().any(|tool| gate.tool.matches(tool)) && (all || named)
    })
}

/// What the gates of now make of a call in this turn that reaches these tools: the one that is
/// called, and one that a route calls in its place.
///
/// A helper meets its own gate and that of each member for whom it works, so that nobody gets past
/// a gate by delegating: the strictest counts, and where several want a decision, all of them do.
pub(crate) fn passage<'w>(world: &'w World, turn: &Turn, tools: &[&str]) -> Passage<'w> {
    let above = world.state.lineage(&turn.member);
    let above = above.map(|(id, member)| (&member.profile, id));
    let (mut audited, mut reviews) = (None, Vec::<&Gate>::new());
    for role in std::iter::once((&turn.profile, &turn.member)).chain(above) {
        match passage_of(&world.definition, role, turn, tools) {
            Passage::Free => {}
            Passage::Audited(gate) => audited = audited.or(Some(gate)),
            Passage::Review(gates) => {
                let new = |gate: &&Gate| !reviews.iter().any(|known| std::ptr::eq(*known, *gate));
                let new: Vec<&Gate> = gates.into_iter().filter(new).collect();
                reviews.extend(new);
            }
            shut @ Passage::Shut(..) => return shut,
        }
    }
    match (reviews.is_empty(), audited) {
        (false, _) => Passage::Review(reviews),
        (true, Some(gate)) => Passage::Audited(gate),
        (true, None) => Passage::Free,
    }
}

fn passage_of<'w>(
    definition: &'w Definition,
    role: (&ProfileId, &MemberId),
    turn: &Turn,
    tools: &[&str],
) -> Passage<'w> {
    let Some(gate) = gate_of(definition, role, tools) else {
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
            Passage::Review(vec![gate])
        }
    }
}
