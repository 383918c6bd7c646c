//! Operations on modules.

mod call;
mod get;
mod list;
mod log;
mod restart;
mod settled;
mod start;
mod stop;
mod tools;

pub(super) use call::Call;
pub(super) use get::Get;
pub(super) use list::List;
pub(super) use log::Log;
pub(super) use restart::Restart;
pub(super) use start::Start;
pub(super) use stop::Stop;
pub(super) use tools::Tools;
