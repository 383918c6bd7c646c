//! What a host program asks, and what befalls its session.

use crate::id::HostId;
use crate::tool::ToolSpec;

/// Commands about host programs.
#[derive(Debug, Clone)]
pub enum HostCommand {
    /// It offers tools, as long as its session lasts.
    Register {
        /// The tools.
        tools: Vec<ToolSpec>,
    },
    /// Its session has ended.
    Leave {
        /// What it had registered.
        host: HostId,
        /// Why, one line.
        reason: String,
    },
}
