//! A mob without an outside: virtual time, memory, scripts.
//!
//! [`rehearse`] plays a scenario: a scripted day of a mob file, in seconds, without network, keys
//! or processes. [`Lives`] below it runs one process of a mob after the other in virtual time:
//! hours pass in milliseconds, and the same inputs give the same journal, byte for byte. Who leaves
//! a life in the middle of it has killed the process: nothing of it is stopped, and what it had in
//! memory is gone.

mod chance;
mod judge;
mod lives;
mod model;
mod outside;
mod play;
mod report;
mod run;
mod weather;

pub use chance::Chance;
pub use lives::{Lives, Process, ShiftedClock};
pub use outside::answering;
pub use report::{Captured, Happened, Judged, Rehearsal, Totals};
pub use run::{RehearseError, rehearse};
