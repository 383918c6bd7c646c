//! Operations on approvals.

mod decide;
mod get;
mod list;
mod story;

pub(super) use decide::Decide;
pub(super) use get::Get;
pub(super) use list::List;
