//! `mobkit chat`: a conversation with a member, line by line.

mod args;
mod exchange;
mod history;
mod input;
mod run;

pub(crate) use args::ChatArgs;
pub(crate) use run::run;
