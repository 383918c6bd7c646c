//! Members: joining, changing, leaving.

mod decide;
mod delegated;
mod engine;
mod retire;
mod spawn;

pub(crate) use decide::{decide, recover};
pub(crate) use delegated::{helper_failed, helper_id, retire_idle, retire_orphan, spawn_helper};
pub(crate) use engine::engine_failed;
pub(crate) use retire::{leave, retire, turn_away};
