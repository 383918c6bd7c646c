//! Edges: who may message whom.

use crate::command::EdgeCommand;
use crate::draft::{Decision, Draft};
use crate::event::{EdgeUnwired, EdgeWired, UnwireReason};
use crate::id::MemberId;
use crate::refusal::{Refusal, RefusalKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An undirected pair of members, in the order of their ids.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Edge {
    /// The end that comes first by id.
    pub a: MemberId,
    /// The other end.
    pub b: MemberId,
}

impl Edge {
    /// The edge between two members, in either order.
    pub fn between(one: &MemberId, other: &MemberId) -> Self {
        let (a, b) = if one <= other {
            (one, other)
        } else {
            (other, one)
        };
        Self {
            a: a.clone(),
            b: b.clone(),
        }
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

/// Decides a command about an edge.
pub(crate) fn decide(mut draft: Draft<'_>, command: &EdgeCommand) -> Result<Decision, Refusal> {
    match command {
        EdgeCommand::Wire { edge, origin } => {
            if edge.a == edge.b {
                return Err(Refusal::new(
                    RefusalKind::Invalid,
                    "edge.self",
                    format!("{} can't be wired with itself", edge.a),
                ));
            }
            draft.present(&edge.a)?;
            draft.present(&edge.b)?;
            // An edge belongs to who wired it first; wiring it again changes nothing.
            if !draft.state().wired.contains_key(edge) {
                draft.order(EdgeWired {
                    a: edge.a.clone(),
                    b: edge.b.clone(),
                    origin: *origin,
                });
            }
        }
        EdgeCommand::Unwire { edge, reason } => {
            let forgotten = *reason == UnwireReason::Pruned && draft.state().managed.contains(edge);
            if !draft.state().wired.contains_key(edge) && !forgotten {
                return Err(Refusal::new(
                    RefusalKind::Missing,
                    "edge.not_found",
                    format!("{} and {} are not wired", edge.a, edge.b),
                )
                .hint("`edge/list` shows the edges"));
            }
            draft.order(EdgeUnwired {
                a: edge.a.clone(),
                b: edge.b.clone(),
                reason: *reason,
            });
        }
    }
    Ok(draft.done())
}
