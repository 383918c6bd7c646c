//! The parts of a run.

pub mod append;
pub mod boot;
pub mod intake;
pub mod members;
pub mod process;
pub mod recovery;
pub mod stream;
pub mod turn;
