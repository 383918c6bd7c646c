//! What the tests of sinks have in common.

mod again;
mod http;
mod outbox;
mod smtp;

pub use again::{again, is_again};
pub use http::{Receiver, Reply, answer};
pub use outbox::{Outbox, failure, route, sending};
pub use smtp::{MailServer, Turn};
