//! `[wiring]`: who may message whom.

use super::report::{Finding, Noun, Report};
use super::source::{Node, Table};
use crate::id::{MemberId, ProfileId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The edges that a mob file asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Wiring {
    /// Every member of one role with every member of the other; a role with itself wires its
    /// members with each other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<(ProfileId, ProfileId)>,
    /// Single edges between different members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<(MemberId, MemberId)>,
}

/// Reads `[wiring]`.
pub(super) fn read(cx: &mut Report<'_>, mut table: Table<'_>) -> Wiring {
    let roles = table.read(cx, "roles", |node, cx| {
        node.each(cx, |item, cx| {
            let (a, b) = item.pair(cx, "roles")?;
            let role = |node: &Node<'_>, cx: &mut Report<'_>| {
                node.reference(cx, Noun::Profile, "[wiring] names".to_owned())
            };
            let (a, b) = (role(&a, cx), role(&b, cx));
            Some((a?, b?))
        })
    });
    let mut seen = BTreeSet::new();
    let edges = table.read(cx, "edges", |node, cx| {
        node.each(cx, |item, cx| read_edge(item, cx, &mut seen))
    });
    table.finish(cx);
    Wiring {
        roles: roles.unwrap_or_default(),
        edges: edges.unwrap_or_default(),
    }
}

fn read_edge(
    item: &Node<'_>,
    cx: &mut Report<'_>,
    seen: &mut BTreeSet<(MemberId, MemberId)>,
) -> Option<(MemberId, MemberId)> {
    let (a, b) = item.pair(cx, "members")?;
    let member = |node: &Node<'_>, cx: &mut Report<'_>| {
        node.reference::<MemberId>(cx, Noun::Member, "[wiring] names".to_owned())
    };
    let (from, to) = (member(&a, cx), member(&b, cx));
    let (from, to) = (from?, to?);
    if from == to {
        let message = format!("an edge joins {:?} with itself", from.as_str());
        let finding = Finding::new("edge_self", &b.span, message).label("the same member");
        cx.error(finding.hint_str("an edge joins two different members"));
        return None;
    }
    let edge = if from < to {
        (from.clone(), to.clone())
    } else {
        (to.clone(), from.clone())
    };
    if !seen.insert(edge) {
        let message = format!(
            "the edge {:?} – {:?} is there twice",
            from.as_str(),
            to.as_str()
        );
        let finding = Finding::new("edge_duplicate", &item.span, message).label("again");
        cx.warning(finding.hint_str("edges have no direction; one is enough"));
    }
    Some((from, to))
}
