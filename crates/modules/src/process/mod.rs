//! Processes that run for a mob: how one is started, and how nothing of it is left.

mod before_exec;
mod child;
mod exit;
mod listing;
mod mark;
mod processes;
mod spawner;
mod sweep;
mod watchdog;

pub(crate) use child::{Launch, start_program};
pub use child::{Pipes, Process};
pub use exit::describe;
pub(crate) use mark::Token;
pub use processes::{Processes, Start};
pub(crate) use sweep::{processes, sweep};
pub(crate) use watchdog::Watchdog;
