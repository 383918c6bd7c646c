//! What every backend must do, as a suite that runs over any of them.
//!
//! A case asserts, so that it fails where it is called; it needs a tokio runtime and no time. What
//! a backend may do differently is no part of it.

mod append;
mod fixture;
mod journal;
mod keep;
mod retention;
mod suite;
mod tables;

pub use suite::all;
