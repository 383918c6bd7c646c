//! The offline model: deterministic, without key or network, led by a script.

mod fields;
mod outcome;
mod parse;
mod provider;
mod script;
mod template;
#[cfg(test)]
mod tests;
mod view;
mod words;

pub use provider::Rehearsal;
pub use script::{Script, ScriptError, ScriptProblem};
