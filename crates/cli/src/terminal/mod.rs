//! What is printed, where and how.

mod color;
mod output;
mod table;

pub(crate) use color::{ColorChoice, Tone};
pub(crate) use output::{Output, Show};
pub(crate) use table::Table;
