//! Members: joining, changing, leaving.

mod decide;
mod engine;
mod retire;
mod spawn;

pub(crate) use decide::decide;
pub(crate) use engine::engine_failed;
pub(crate) use retire::{leave, retire, turn_away};
