//! Operations on routes.

mod change;
mod enable;
mod get;
mod list;
mod put;
mod remove;
mod resolve;

pub(super) use enable::Enable;
pub(super) use get::Get;
pub(super) use list::List;
pub(super) use put::Put;
pub(super) use remove::Remove;
pub(super) use resolve::Resolve;
