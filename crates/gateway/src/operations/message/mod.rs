//! Operations on messages.

mod cancel;
mod get;
mod list;

pub(super) use cancel::Cancel;
pub(super) use get::Get;
pub(super) use list::List;
