//! Turns: how they begin, get on, recover and end.

mod answer;
mod begin;
mod budget;
mod compaction;
mod decide;
mod end;
mod engine;
mod fail;
mod outcome;
mod recover;
mod reply;
mod resolve;

pub(crate) use begin::begin_next;
pub(crate) use budget::{USD_PER_DAY, may_resume, review, windows_over};
pub(crate) use decide::{decide, open, stale};
pub(crate) use end::{cancel, interrupt, lose};
pub(crate) use recover::{recover, resume};

pub use compaction::compaction_due;
pub use fail::{ATTEMPTS_MAX, RETRY_AFTER_MAX_MS, retry_delay_ms};
pub use recover::RECOVERIES_MAX;
