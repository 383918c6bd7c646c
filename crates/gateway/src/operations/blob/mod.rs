//! Operations on blobs.

mod get;

pub(super) use get::Get;
