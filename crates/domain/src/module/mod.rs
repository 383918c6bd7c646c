//! Modules: when they are started, stopped and started again, and what is known of their tools.
//!
//! * Somebody wants something: [`start`], [`stop`], [`converge`] (the definition), [`direct`] (a
//!   call of a tool).
//! * A process came to something: [`health`], with its tools in [`listing`], and [`ended`].
//! * The life of the runtime: [`recover`] and [`ready`].
//!
//! Modules are started only while the runtime is ready. What is due, a restart or the end of idle
//! time, is in `State::module_dues`, which is empty otherwise.

mod availability;
mod converge;
mod decide;
mod direct;
mod due;
mod ended;
mod health;
mod listing;
mod ready;
mod recover;
mod restart;
mod start;
mod stop;

pub(crate) use availability::before_call;
pub(crate) use converge::{Need, need};
pub(crate) use decide::decide;
pub(crate) use direct::{begin_call, direct_ended};
pub(crate) use due::due;
pub(crate) use listing::is_tool_name;
pub(crate) use ready::ready;
pub(crate) use recover::recover;
pub(crate) use restart::restart_at;
