//! `mobkit send`: one message, or one for each line of a file.

mod answer;
mod args;
mod attach;
mod each_line;
mod outcome;
mod progress;
mod run;
mod single;
mod source;
mod speech;

pub(crate) use answer::{Patience, wait};
pub(crate) use args::{PATIENCE, SendArgs};
pub(crate) use each_line::worse;
pub(crate) use outcome::{End, Outcome};
pub(crate) use run::{Accepted, run, send};
pub(crate) use source::{STDIN, read};
pub(crate) use speech::Speech;
