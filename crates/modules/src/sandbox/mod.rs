//! What a module may reach of the file system and the network.

mod level;
mod needs;
mod ruleset;

pub(crate) use level::Kernel;
pub(crate) use ruleset::{Needs, kernel, prepare};
