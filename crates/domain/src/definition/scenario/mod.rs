//! Scenarios: a scripted day of a mob, and what is expected of it.
//!
//! A scenario is a TOML file of its own, read by the machinery of the mob file: all errors at once,
//! each with its place. Names in it are those of the mob that it is for.

mod act;
mod answer;
mod expectation;
mod fault;
mod file;

pub use act::{Act, Entry, Ruling};
pub use answer::{ModuleAnswer, Said};
pub use expectation::{Counts, Expectation, Subject};
pub use fault::{Fault, ModelFault, RouteFault};
pub use file::{Scenario, parse_scenario};
