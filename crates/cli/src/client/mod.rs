//! The client of a server's HTTP API.

mod api;
mod connect;
mod events;
mod hint;
mod lines;
mod locate;
mod patience;
mod problem;

pub(crate) use api::Client;
pub(crate) use connect::ServerArgs;
pub(crate) use events::{EventQuery, EventReader, Format, Frame};
pub(crate) use locate::{SERVER_FILE, STATE_FOLDER, TOKEN_FILE};
pub(crate) use problem::failure_of_rpc;
