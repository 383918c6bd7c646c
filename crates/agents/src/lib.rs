//! Agents: who answers a turn.
//!
//! Duty: model calls of native turns, and the seam behind which other agent runtimes run whole
//! turns. The only crate that speaks to model providers.
//!
//! Invariants:
//! * one call is one attempt: the writer decides about repeats, since it knows the journal.
//! * nothing of a key reaches a log, an event or an error.
//! * a session is read from the journal; an idle member has none in memory.
//!
//! The commonest change is a new provider: see [`model`].

pub mod external;
pub mod meerkat;
pub mod model;
pub mod native;
