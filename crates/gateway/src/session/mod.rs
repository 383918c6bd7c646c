//! Sessions: JSON-RPC in both directions, over lines or over a WebSocket.
//!
//! A session is one task. It reads what comes and begins it at once, so nothing that waits holds up
//! what comes after it; it writes what is done as fast as the other side reads, and ends where that
//! reads no longer.

mod backlog;
mod call;
mod conversation;
mod host;
mod lines;
mod params;
mod questions;
mod subscriptions;
mod talk;
mod wire;

pub use params::StartParts;
pub use talk::{OwnerSignals, talk_over_lines};
pub(crate) use talk::{Session, Tie, converse};
pub use wire::SessionEnd;
pub(crate) use wire::{Incoming, Inlet, MESSAGE_BYTES_MAX, Outlet};
