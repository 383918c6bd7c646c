//! HTTP: routes, and what every request passes before it reaches one.

mod api;
mod body;
mod deltas;
mod events;
mod feed;
mod frame;
mod guard;
mod health;
mod negotiate;
mod router;
mod rpc;

pub use router::router;
