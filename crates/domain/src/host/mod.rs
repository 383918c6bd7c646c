//! Host programs: what they offer over their sessions.

mod decide;

pub(crate) use decide::decide;
