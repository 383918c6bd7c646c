//! Members: joining, changing, leaving.

mod decide;
mod retire;
mod spawn;

pub(crate) use decide::decide;
pub(crate) use retire::{leave, retire, turn_away};
