//! `mobkit routes`: where named outputs go.

mod args;
mod enable;
mod list;
mod resolve;
mod run;

pub(crate) use args::RoutesArgs;
pub(crate) use run::run;
