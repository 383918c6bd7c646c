//! Members: joining, changing, leaving.

mod decide;
mod engine;
mod helper;
mod retire;
mod spawn;

pub(crate) use decide::decide;
pub(crate) use engine::engine_failed;
pub(crate) use helper::{helper_failed, helper_id, retire_idle, retire_orphan, spawn_helper};
pub(crate) use retire::{leave, retire, turn_away};
