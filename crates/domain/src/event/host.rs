//! Events of host programs: what they offer over a session, and that they went.

use super::Event;
use crate::id::HostId;
use crate::tool::ToolSpec;
use serde::{Deserialize, Serialize};

/// A program offers tools over its session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostRegistered {
    /// The registration.
    pub host: HostId,
    /// The tools, by name.
    pub tools: Vec<ToolSpec>,
}

/// A program no longer serves what it had registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostLeft {
    /// The registration.
    pub host: HostId,
    /// Why, one line.
    pub reason: String,
}

impl Event {
    /// One line for a person about what befalls a host program.
    pub(super) fn summary_of_host(&self) -> Option<String> {
        Some(match self {
            Self::HostRegistered(e) => {
                let names: Vec<&str> = e.tools.iter().map(|tool| tool.name.as_str()).collect();
                format!("{} offers {}", e.host, names.join(", "))
            }
            Self::HostLeft(e) => format!("{} has gone: {}", e.host, e.reason),
            _ => return None,
        })
    }
}
