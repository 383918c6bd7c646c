//! Operations on costs.

mod group;
mod summary;

pub(super) use summary::Summary;
