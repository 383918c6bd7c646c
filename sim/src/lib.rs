//! The whole server from a seed: one number decides what the mob is, what is asked of it, what
//! breaks, and when.
//!
//! Duty: find what nobody thought of. A run is a mob of the library in virtual time, several
//! processes one after the other, with operations through the gateway, models that fail, modules
//! that crash, receivers that lie, disks that are slow, clocks that are set, and processes that are
//! killed at an append. Afterwards everything that is promised is looked for in the journal and in
//! what the outside world has seen.
//!
//! Invariants:
//! * a run depends on its seed alone; each one is run twice, and the journals must be the same.
//! * a run that fails says in one line how to see it again.
//!
//! The commonest change is a new sort of trouble (`operations/`, `outside.rs`, `model.rs`) or a new
//! promise (`invariants/`).

mod acts;
mod callers;
mod cast;
mod client;
mod hands;
mod invariants;
mod life;
mod model;
mod operations;
mod outside;
mod program;
mod run;
mod settle;

pub use program::{Asked, asked, run_all};
pub use run::{Report, check, run};
