//! The rules of the house that lints can't check: `cargo xtask tidy`.
//!
//! A rule is a file here with a `check` that takes the [`tree::Tree`] and answers findings. It
//! needs a line in the table of `run.rs` and a test that shows it failing: a rule that can't fail
//! is no rule.
//!
//! Absent on purpose: the number of parameters (clippy, threshold in `clippy.toml`), and unwrap,
//! `allow`, `todo!` as lints (`[workspace.lints]`); tidy looks for the last two as well, since
//! clippy doesn't see code that this platform doesn't compile.

mod borders;
mod calls;
mod documents;
mod exceptions;
mod finding;
mod graph;
mod licences;
mod manifest;
mod names;
mod proofs;
mod reachable;
mod run;
mod rust;
mod sizes;
mod sources;
mod traces;
mod tree;
mod width;
mod words;

pub use run::run;

#[cfg(test)]
mod tests;
