//! Turns: how they begin, get on, recover and end.

mod begin;
mod decide;
mod end;
mod engine;
mod fail;
mod outcome;
mod recover;
mod reply;
mod resolve;

pub(crate) use begin::begin_next;
pub(crate) use decide::{decide, open, stale};
pub(crate) use end::{cancel, lose};
pub(crate) use recover::{recover, resume};

pub use fail::{ATTEMPTS_MAX, RETRY_AFTER_MAX_MS, retry_delay_ms};
pub use recover::RECOVERIES_MAX;
