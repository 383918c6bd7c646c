//! `mobkit rehearse`.

mod args;
mod run;
mod show;

pub(crate) use args::RehearseArgs;
pub(crate) use run::run;
