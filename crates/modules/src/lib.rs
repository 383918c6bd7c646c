//! Helper processes.
//!
//! Duty: everything that starts a child process on behalf of a mob: modules, programs that print a
//! secret, and for others that need a process of their own, [`Processes`]. A tool call of a module
//! is an effect like any other; it comes in through the engine's
//! [`Runner`](mobkit_engine::Runner) seam, and what came of it goes back as a command.
//!
//! Invariants:
//! * no child outlives what it was started for, even if this process is killed.
//! * a child gets no environment but what is listed for it.

mod client;
mod json_lines;
mod log;
mod mcp;
mod process;
mod rate;
mod redaction;
mod sandbox;
mod secret;
mod supervisor;

pub use log::record_log;
pub use process::{Pipes, Process, Processes, Start, describe};
pub use redaction::Redaction;
pub use secret::{SECRET_TIMEOUT, SecretError, secret_of_program};
pub use supervisor::{Environment, Modules};
