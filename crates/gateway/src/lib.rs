//! The edges of mobkit: every way in which a caller from outside reaches a mob.
//!
//! Duty: know who calls and whether they may, read what they ask, hand it to the engine, and render
//! what comes back. HTTP, JSON-RPC and the streams of events are derived from one table of
//! operations; a handler parses, submits a command or runs a query, and nothing more.
//!
//! Invariants:
//! * the name of an operation is written once; every surface reads [`OPERATIONS`].
//! * principals come from credentials, never from a request body.
//! * a parameter that nobody reads is an error, not a silence.
//! * requests run side by side: one that waits holds up no other.
//! * a stream pulls from the journal; a reader that stalls costs one page of memory and slows
//!   nobody.
//!
//! The commonest change is a new operation: one file under `operations/` with its parameters, its
//! result, its permission and its handler, and one line in the table. Both types derive their JSON
//! Schema, from which the documents at `/openapi.json` and `/openrpc.json` are made.

mod access;
mod approval_view;
mod change;
mod context;
mod cursor;
mod delivery_view;
mod digest;
mod entry;
mod fields;
mod gateway;
mod http;
mod input;
mod module_view;
mod operation;
mod operations;
mod page;
mod problem;
mod query;
mod remembered;
mod report;
mod route_view;
mod rpc;
mod schedule_view;
mod schema;
mod session;
mod snapshot;
mod stream;
mod strict;
mod suggestion;
mod text;
mod turn_view;
mod waiting;
mod words;

pub use access::{Access, Permission};
pub use context::Context;
pub use http::{ConnectionHold, router};
pub use input::Input;
pub use operation::{Keys, Operation};
pub use operations::OPERATIONS;
pub use session::{OwnerSignals, SessionEnd, StartParts, talk_over_lines};
