//! Where desired edges come from: the roles and pairs of the mob file, and edge discovery.

use crate::edge::Edge;
use crate::id::{MemberId, ProfileId};
use crate::refusal::{Refusal, RefusalKind};
use std::collections::{BTreeMap, BTreeSet};

/// The edges that the mob file asks for in a mob of this roster.
///
/// `roles`: every member of one role with every member of the other; a role with itself gives
/// every pair of its members. `edges`: pairs by name, whether or not they are in the roster. A
/// member is never wired to itself.
pub fn static_edges(
    roles: &[(ProfileId, ProfileId)],
    edges: &[(MemberId, MemberId)],
    roster: &BTreeMap<MemberId, ProfileId>,
) -> BTreeSet<Edge> {
    let mut members: BTreeMap<&ProfileId, Vec<&MemberId>> = BTreeMap::new();
    for (member, profile) in roster {
        members.entry(profile).or_default().push(member);
    }
    let of = |role: &ProfileId| members.get(role).map_or(&[][..], Vec::as_slice);
    let by_role = roles.iter().flat_map(|(one, other)| {
        of(one)
            .iter()
            .flat_map(move |a| of(other).iter().map(move |b| (*a, *b)))
    });
    let by_name = edges.iter().map(|(a, b)| (a, b));
    by_role
        .chain(by_name)
        .filter(|(a, b)| a != b)
        .map(|(a, b)| Edge::between(a, b))
        .collect()
}

/// Why an answer of edge discovery can't be used. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EdgeError {
    /// A member can't be wired to itself.
    #[error("edge discovery wires the member {member:?} to itself", member = .member.as_str())]
    SelfEdge {
        /// The member.
        member: MemberId,
    },
}

impl From<EdgeError> for Refusal {
    fn from(error: EdgeError) -> Self {
        let hint = "an edge joins two different members";
        Refusal::new(RefusalKind::Invalid, "edge.self", error.to_string()).hint(hint)
    }
}

/// The edges that edge discovery asks for. An edge has no direction, so a pair that comes again,
/// in whichever order, is the same edge. Refused: a member with itself.
pub fn discovered_edges(answer: &[(MemberId, MemberId)]) -> Result<BTreeSet<Edge>, EdgeError> {
    let edge = |(a, b): &(MemberId, MemberId)| {
        if a == b {
            Err(EdgeError::SelfEdge { member: a.clone() })
        } else {
            Ok(Edge::between(a, b))
        }
    };
    answer.iter().map(edge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str) -> MemberId {
        MemberId::parse(id).expect("an id")
    }

    fn role(id: &str) -> ProfileId {
        ProfileId::parse(id).expect("an id")
    }

    fn roster() -> BTreeMap<MemberId, ProfileId> {
        let of = |(id, profile): (&str, &str)| (member(id), role(profile));
        [
            ("ed", "editor"),
            ("r1", "reporter"),
            ("r2", "reporter"),
            ("r3", "reporter"),
        ]
        .map(of)
        .into()
    }

    fn names(edges: &BTreeSet<Edge>) -> Vec<String> {
        edges.iter().map(Edge::to_string).collect()
    }

    #[test]
    fn a_pair_of_roles_wires_every_member_of_one_with_every_member_of_the_other() {
        let edges = static_edges(&[(role("reporter"), role("editor"))], &[], &roster());
        assert_eq!(names(&edges), ["ed+r1", "ed+r2", "ed+r3"]);
    }

    #[test]
    fn a_role_with_itself_wires_every_pair() {
        let edges = static_edges(&[(role("reporter"), role("reporter"))], &[], &roster());
        assert_eq!(names(&edges), ["r1+r2", "r1+r3", "r2+r3"]);
        assert!(static_edges(&[(role("editor"), role("editor"))], &[], &roster()).is_empty());
    }

    #[test]
    fn named_edges_count_once_and_stay_when_an_end_is_missing() {
        let pairs = [
            (member("r1"), member("ed")),
            (member("ed"), member("r1")),
            (member("ed"), member("gone")),
        ];
        let edges = static_edges(&[(role("editor"), role("nobody"))], &pairs, &roster());
        assert_eq!(names(&edges), ["ed+gone", "ed+r1"]);
    }

    #[test]
    fn an_answer_of_discovery_has_no_direction_and_no_doubles() {
        let pairs = [
            (member("b"), member("a")),
            (member("a"), member("b")),
            (member("a"), member("b")),
            (member("c"), member("a")),
        ];
        assert_eq!(
            discovered_edges(&pairs).map(|e| names(&e)),
            Ok(vec!["a+b".into(), "a+c".into()])
        );
    }

    #[test]
    fn an_answer_of_discovery_that_wires_a_member_to_itself_is_refused() {
        let pairs = [(member("a"), member("b")), (member("c"), member("c"))];
        let error = discovered_edges(&pairs).expect_err("a self edge");
        assert_eq!(
            error,
            EdgeError::SelfEdge {
                member: member("c")
            }
        );
        assert_eq!(
            Refusal::from(error).message,
            r#"edge discovery wires the member "c" to itself"#
        );
    }
}
