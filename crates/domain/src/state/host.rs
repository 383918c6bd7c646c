//! The tools of host programs as the journal leaves them.

use super::State;
use crate::event::Event;
use crate::id::HostId;
use crate::tool::ToolSpec;
use serde::{Deserialize, Serialize};

/// From how many on tools are forgotten that nobody offers any longer.
const HOSTED_KEPT_MAX: usize = 256;

/// A tool that a host program offers, or has offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostedTool {
    /// What the model is told, and what a repeated call does.
    pub spec: ToolSpec,
    /// The registration under which it is served; `None`: its program has gone.
    pub host: Option<HostId>,
}

impl State {
    /// Folds an event of a host program in; `false`: it is none.
    pub(super) fn apply_host(&mut self, event: &Event) -> bool {
        match event {
            Event::HostRegistered(e) => {
                if self.hosted.len() + e.tools.len() > HOSTED_KEPT_MAX {
                    self.hosted.retain(|_, tool| tool.host.is_some());
                }
                for spec in &e.tools {
                    let tool = HostedTool {
                        spec: spec.clone(),
                        host: Some(e.host),
                    };
                    self.hosted.insert(spec.name.clone(), tool);
                }
            }
            Event::HostLeft(e) => {
                for tool in self.hosted.values_mut() {
                    tool.host = tool.host.filter(|host| *host != e.host);
                }
            }
            _ => return false,
        }
        true
    }

    /// No session outlives the process that had it.
    pub(super) fn hosts_gone(&mut self) {
        for tool in self.hosted.values_mut() {
            tool.host = None;
        }
    }
}
