//! Processes of modules: how one is started, and how nothing of it is left.

mod before_exec;
mod child;
mod exit;
mod listing;
mod mark;
mod spawner;
mod sweep;
mod watchdog;

pub(crate) use child::{Launch, Pipes, Process, start_program};
pub(crate) use exit::describe;
pub(crate) use mark::Token;
pub(crate) use sweep::{processes, sweep};
pub(crate) use watchdog::Watchdog;
