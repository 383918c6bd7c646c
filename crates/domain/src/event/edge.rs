//! Events of edges.

use crate::edge::Edge;
use crate::id::MemberId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who wants an edge.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum EdgeOrigin {
    /// The mob file.
    Static,
    /// The edge discovery hook; the only origin that it may unwire again.
    Managed,
    /// Somebody asked for it by name.
    Operator,
    /// A helper and the member that delegates to it; goes when one of them leaves.
    Helper,
}

/// Two members may message each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeWired {
    /// The end that comes first by id.
    pub a: MemberId,
    /// The other end.
    pub b: MemberId,
    /// Who wants it.
    pub origin: EdgeOrigin,
}

/// Why an edge went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnwireReason {
    /// Somebody asked for it by name.
    Requested,
    /// Nobody wants it any longer.
    NotDesired,
    /// One of its ends has left; edge discovery still counts it as its own.
    MemberRetired,
    /// Edge discovery forgets an edge that was already gone.
    Pruned,
}

/// Two members may no longer message each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeUnwired {
    /// The end that comes first by id.
    pub a: MemberId,
    /// The other end.
    pub b: MemberId,
    /// Why.
    pub reason: UnwireReason,
}

/// What was tried with an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EdgeOperation {
    /// Wiring it.
    Wire,
    /// Unwiring it.
    Unwire,
}

/// A change of an edge failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeFailed {
    /// The end that comes first by id.
    pub a: MemberId,
    /// The other end.
    pub b: MemberId,
    /// What was tried.
    pub operation: EdgeOperation,
    /// Why it failed.
    pub error: String,
}

macro_rules! has_edge {
    ($($name:ident)*) => {
        $(impl $name {
            /// The edge that this is about.
            pub fn edge(&self) -> Edge {
                Edge::between(&self.a, &self.b)
            }
        })*
    };
}

has_edge! { EdgeWired EdgeUnwired EdgeFailed }
