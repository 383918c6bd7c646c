//! Operations on grants.

mod list;
mod revoke;

pub(super) use list::List;
pub(super) use revoke::Revoke;
