//! Wiring and unwiring.

use super::harness::{Mob, member};
use mobkit_domain::command::{Command, EdgeCommand, MemberCommand};
use mobkit_domain::edge::Edge;
use mobkit_domain::event::{EdgeOrigin, RetireMode, UnwireReason};

fn edge(one: &str, other: &str) -> Edge {
    Edge::between(&member(one), &member(other))
}

fn wire(one: &str, other: &str, origin: EdgeOrigin) -> Command {
    Command::Edge(EdgeCommand::Wire {
        edge: edge(one, other),
        origin,
    })
}

fn unwire(one: &str, other: &str, reason: UnwireReason) -> Command {
    Command::Edge(EdgeCommand::Unwire {
        edge: edge(one, other),
        reason,
    })
}

#[test]
fn an_edge_lets_both_ends_message_each_other() {
    let mut mob = Mob::ready();
    mob.order(wire("r2", "r1", EdgeOrigin::Operator));
    mob.then("edge.wired");
    let members = &mob.world.state.members;
    assert!(members[&member("r1")].peers.contains(&member("r2")));
    assert!(members[&member("r2")].peers.contains(&member("r1")));
    mob.order(unwire("r1", "r2", UnwireReason::Requested));
    mob.then("edge.unwired");
    let members = &mob.world.state.members;
    assert!(!members[&member("r1")].peers.contains(&member("r2")));
    assert!(!members[&member("r2")].peers.contains(&member("r1")));
}

#[test]
fn an_edge_belongs_to_who_wired_it_first() {
    let mut mob = Mob::ready();
    mob.order(wire("r1", "r2", EdgeOrigin::Operator));
    mob.order(wire("r1", "r2", EdgeOrigin::Managed));
    mob.then("");
    assert_eq!(
        mob.world.state.wired[&edge("r1", "r2")],
        EdgeOrigin::Operator
    );
    assert!(mob.world.state.managed.is_empty());
}

#[test]
fn an_edge_that_can_not_be_is_refused() {
    let mut mob = Mob::ready();
    let origin = EdgeOrigin::Operator;
    assert_eq!(mob.refused(wire("r1", "r1", origin)), "edge.self");
    assert_eq!(
        mob.refused(wire("r1", "nobody", origin)),
        "member.not_found"
    );
    assert_eq!(
        mob.refused(unwire("r1", "r2", UnwireReason::Requested)),
        "edge.not_found"
    );
    let (member, mode) = (member("r1"), RetireMode::Now);
    mob.order(Command::Member(MemberCommand::Retire {
        member,
        mode,
        reason: None,
    }));
    assert_eq!(mob.refused(wire("r1", "r2", origin)), "member.retired");
}

#[test]
fn a_managed_edge_is_remembered_after_an_end_has_left_until_it_is_pruned() {
    let mut mob = Mob::ready();
    mob.order(wire("r1", "r2", EdgeOrigin::Managed));
    let (member, mode) = (member("r1"), RetireMode::Now);
    mob.order(Command::Member(MemberCommand::Retire {
        member,
        mode,
        reason: None,
    }));
    assert!(!mob.world.state.wired.contains_key(&edge("r1", "r2")));
    assert!(mob.world.state.managed.contains(&edge("r1", "r2")));
    assert_eq!(
        mob.refused(unwire("r1", "r2", UnwireReason::Requested)),
        "edge.not_found"
    );
    mob.order(unwire("r1", "r2", UnwireReason::Pruned));
    assert!(mob.world.state.managed.is_empty());
}
