//! `mobkit send`: one message, or one for each line of a file.

mod answer;
mod args;
mod each_line;
mod outcome;
mod progress;
mod run;
mod single;
mod source;
mod speech;

pub(crate) use args::SendArgs;
pub(crate) use run::run;
pub(crate) use source::{STDIN, read};
