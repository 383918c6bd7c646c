//! HTTP: routes, and what every request passes before it reaches one.

mod api;
mod body;
mod documents;
mod events;
mod guard;
mod health;
mod metrics;
mod negotiate;
mod openapi;
mod router;
mod rpc;
mod socket;

pub use router::router;
pub use socket::ConnectionHold;
