//! External engines: what befalls their processes, and when one is started again.

mod decide;
mod restart;

pub(crate) use decide::decide;
pub use restart::restart_at;
