//! Deliveries: what leaves the mob for somebody outside.
//!
//! Duty: sinks (webhook, email, file, …), their signatures and the guard of addresses. The seam is
//! the engine's [`Runner`]: an attempt at a delivery is an effect whose intent is recorded before
//! the request and whose receipt after it.
//!
//! A mob file that declares a route is refused at its start, since there is no sink yet.

mod email;
mod file;
mod guard;
mod retry_after;
mod sending;
mod signature;
mod webhook;

