//! Operations on the engines that run turns.

mod list;

pub(super) use list::List;
