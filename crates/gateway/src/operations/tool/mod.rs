//! Operations on tool calls.

mod resolve;

pub(super) use resolve::Resolve;
