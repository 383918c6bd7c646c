//! What is printed, where and how.

mod color;
mod outage;
mod output;
mod table;
mod visible;

pub(crate) use color::{ColorChoice, Tone};
pub(crate) use output::{Output, Show};
pub(crate) use table::Table;
pub(crate) use visible::{visible, visible_json, visible_json_line, visible_line};
