//! The parts of a run.

pub mod append;
pub mod approval;
pub mod boot;
pub mod call;
pub mod deliveries;
pub mod intake;
pub mod lazy;
pub mod meerkat;
pub mod members;
pub mod process;
pub mod recovery;
pub mod schedules;
pub mod stream;
pub mod turn;
