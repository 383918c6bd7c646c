//! `mobkit deliveries`: messages on their way out.

mod args;
mod list;
mod replay;
mod run;
mod send;
mod show;

pub(crate) use args::DeliveriesArgs;
pub(crate) use replay::missing;
pub(crate) use run::run;
