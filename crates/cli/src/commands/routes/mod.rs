//! `mobkit routes`: where named outputs go.

mod args;
mod list;
mod resolve;
mod run;

pub(crate) use args::RoutesArgs;
pub(crate) use run::run;
