//! Rust source as tidy reads it: what is code, comment and text, where functions and tests are.
//!
//! A scan by characters, not a parser: it knows comments, literals, braces and attributes, which is
//! all that the rules need.

mod functions;
mod kinds;
mod source;

pub use source::Source;
