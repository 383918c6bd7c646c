//! Operations on the shared task list.

mod list;

pub(super) use list::List;
