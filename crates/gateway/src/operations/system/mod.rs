//! Operations on the process.

mod info;
mod shutdown;

pub(super) use info::Info;
pub(super) use shutdown::Shutdown;
