//! Operations on schedules.

mod backfill;
mod change;
mod get;
mod list;
mod occurrences;
mod pause;
mod preview;
mod put;
mod remove;
mod resume;
mod trigger;

pub(super) use backfill::Backfill;
pub(super) use get::Get;
pub(super) use list::List;
pub(super) use occurrences::Occurrences;
pub(super) use pause::Pause;
pub(super) use preview::Preview;
pub(super) use put::Put;
pub(super) use remove::Remove;
pub(super) use resume::Resume;
pub(super) use trigger::Trigger;
