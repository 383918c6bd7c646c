//! A mob without an outside: virtual time, memory, scripts.
//!
//! [`Lives`] runs one process of a mob after the other in virtual time: hours pass in
//! milliseconds, and the same inputs give the same journal, byte for byte. Who leaves a life in
//! the middle of it has killed the process: nothing of it is stopped, and what it had in memory is
//! gone.

mod lives;

pub use lives::{Lives, Process, ShiftedClock};
