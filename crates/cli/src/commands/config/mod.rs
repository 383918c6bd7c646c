//! `mobkit config`: what is in force, and where each value comes from.

mod args;
mod origin;
mod run;
mod values;

pub(crate) use args::ConfigArgs;
pub(crate) use run::run;
