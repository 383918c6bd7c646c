//! Commands about an edge.

use crate::edge::Edge;
use crate::event::{EdgeOrigin, UnwireReason};

/// Commands about an edge.
#[derive(Debug, Clone)]
pub enum EdgeCommand {
    /// Wire two members.
    Wire {
        /// The edge.
        edge: Edge,
        /// Who wants it.
        origin: EdgeOrigin,
    },
    /// Unwire two members.
    Unwire {
        /// The edge.
        edge: Edge,
        /// Why.
        reason: UnwireReason,
    },
}
