//! Helper processes.
//!
//! Duty: everything that starts a child process on behalf of a mob. It holds the reading of secrets
//! that a program prints; the supervisor of long-lived modules belongs here, behind the engine's
//! [`Runner`](mobkit_engine::Runner) seam: a tool call of a module is an effect like any other.
//!
//! Invariants:
//! * no child outlives what it was started for.
//! * a child gets no environment but `PATH` and `HOME`.

mod secret;

pub use secret::{SECRET_TIMEOUT, SecretError, secret_of_program};
