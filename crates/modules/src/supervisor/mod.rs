//! The supervisor of modules: one process for each, whoever calls it.
//!
//! A start is the work of its effect until the module answers; from then on a task of its own owns
//! the process and the conversation, and everybody else talks to that task. No lock is held while
//! anything is awaited.

mod call;
mod calls;
mod environment;
mod host;
mod local;
mod modules;
mod standing;
mod start;
mod voice;
mod watch;

pub use environment::Environment;
pub use modules::Modules;
