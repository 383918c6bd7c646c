//! Edges: who may message whom.

use crate::id::MemberId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An undirected pair of members, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Edge {
    /// The end that comes first by id.
    pub a: MemberId,
    /// The other end.
    pub b: MemberId,
}

impl Edge {
    /// The edge between two members, in either order.
    pub fn between(one: &MemberId, other: &MemberId) -> Self {
        let (a, b) = if one <= other { (one, other) } else { (other, one) };
        Self { a: a.clone(), b: b.clone() }
    }

    /// Whether the member is one of the two ends.
    pub fn touches(&self, member: &MemberId) -> bool {
        self.a == *member || self.b == *member
    }

    /// The end that is not `member`.
    pub fn other(&self, member: &MemberId) -> &MemberId {
        if self.a == *member { &self.b } else { &self.a }
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.a, self.b)
    }
}
