//! Operations on events.

mod query;

pub(super) use query::Query;
