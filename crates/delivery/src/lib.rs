//! Deliveries: what leaves the mob for somebody outside.
//!
//! Duty: sinks (webhook, email, file), their signatures and the guard of addresses. Whoever
//! composes the runtime gives [`Sinks`] a way to read [`Settings`], and asks for one attempt at a
//! time; that its intent is recorded before and its outcome after is the engine's matter, as is
//! when to try again. Deliveries to members and modules never leave, so they don't come here.
//!
//! Invariants:
//! * an attempt ends, whatever the other side does: every wait has a limit, and so has every
//!   answer.
//! * a connection goes to an address that was checked, and to an inner one only where the route
//!   says `allow_private`; redirects are not followed, and the environment's proxies are not used.
//! * [`Sent::Failed`] is said only where the receiver can't have the delivery, or knows a
//!   repetition.
//! * no outcome holds a secret, nor the path of a URL: errors name the host.
//! * nothing stays open between attempts.
//!
//! The commonest change is a new sink: a file beside `webhook.rs` that turns a [`Sending`] into a
//! [`Sent`], and an arm in `sinks.rs`.

mod email;
mod file;
mod guard;
mod redaction;
mod retry_after;
mod sending;
mod settings;
mod signature;
mod sinks;
mod webhook;

pub use sending::{SendFailure, Sending, Sent};
pub use settings::Settings;
pub use sinks::{Sinks, is_idempotent};
