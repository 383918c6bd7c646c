//! Operations on members.

mod ask;
mod cancel;
mod content;
mod delete;
mod ensure;
mod get;
mod history;
mod list;
mod part;
mod pause;
mod reset;
mod respawn;
mod resume;
mod retire;
mod send;
mod spawn;
mod transcript;

pub(super) use ask::Ask;
pub(super) use cancel::Cancel;
pub(super) use delete::Delete;
pub(super) use ensure::Ensure;
pub(super) use get::Get;
pub(super) use history::History;
pub(super) use list::List;
pub(super) use pause::Pause;
pub(super) use reset::Reset;
pub(super) use respawn::Respawn;
pub(super) use resume::Resume;
pub(super) use retire::Retire;
pub(super) use send::Send;
pub(super) use spawn::Spawn;
