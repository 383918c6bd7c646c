//! Operations on edges.

mod list;
mod unwire;
mod wire;

pub(super) use list::List;
pub(super) use unwire::Unwire;
pub(super) use wire::Wire;
