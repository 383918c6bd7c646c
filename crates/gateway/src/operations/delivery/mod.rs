//! Operations on deliveries.

mod get;
mod list;
mod replay;
mod send;

pub(super) use get::Get;
pub(super) use list::List;
pub(super) use replay::Replay;
pub(super) use send::Send;
