//! What a mob is given to run, and what it tells of itself.

use crate::terminal::visible_line;
use mobkit::MobFile;
use serde_json::Value;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What the library needs to run the mob.
#[derive(Debug)]
pub(crate) struct Launch {
    /// The mob file, valid and without parts that can't be run.
    pub file: MobFile,
    pub state: PathBuf,
    pub listen: SocketAddr,
    /// Whether every model is replaced by rehearsal.
    pub rehearse: bool,
    /// Whether the start may retire more than half of the members.
    pub force: bool,
}

/// A mob that takes messages.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    /// Where it is served, with the port that was really taken.
    pub url: String,
    /// Id and state of every member.
    pub members: Vec<(String, String)>,
    pub modules: Vec<ModuleState>,
    pub token_file: PathBuf,
}

/// Where a module stands.
#[derive(Debug, Clone)]
pub(crate) struct ModuleState {
    pub id: String,
    pub state: &'static str,
    pub reason: Option<String>,
    /// Whether it starts at its first call.
    pub is_lazy: bool,
    /// Whether an operator stopped it, so that it stays so.
    pub is_held: bool,
}

impl fmt::Display for ModuleState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.state)?;
        let is_stopped = self.state == "stopped";
        match &self.reason {
            // However it came to its end: it begins again where somebody needs it.
            _ if is_stopped && self.is_lazy && !self.is_held => {
                f.write_str(" (starts when called)")
            }
            Some(reason) => write!(f, ": {}", visible_line(reason)),
            None => Ok(()),
        }
    }
}

/// A mob that has stopped in order.
#[derive(Debug)]
pub(crate) struct Stopped {
    /// Whether every turn was finished or checkpointed and nothing had to be killed.
    pub clean: bool,
    /// The shutdown report.
    pub report: Value,
}
