//! Tools: which there are, and how the calls of a reply are worked off.
//!
//! Built-in tools are decided by the writer itself, in the same batch as the call, so they happen
//! exactly once. Every other tool is an effect.

mod ask_peer;
mod built_in;
mod call;
mod catalogue;
mod check;
mod content;
mod delegate;
mod deliver;
mod peers;
mod schedules;
mod schema;
mod schema_cost;
mod send_message;
mod tasks;
mod toolbox;

pub use built_in::{built_in_specs, is_built_in};
pub(crate) use call::{MOBKIT_ENDED, next_call};
pub(crate) use catalogue::{Found, find};
pub use catalogue::{module_of, offered, offered_to};
pub(crate) use check::held;
pub(crate) use schema::violation;
pub use toolbox::{ToolSpec, Toolbox};
