//! What is promised, looked for in the journal and in what the outside world has seen.

mod approvals;
mod calls;
mod deliveries;
mod journal;
mod messages;
mod money;
mod occurrences;
mod seen;
mod state;

pub(crate) use seen::{Seen, all, read};
