//! `mobkit modules`: the helper processes of a mob.

mod args;
mod call;
mod list;
mod log;
mod order;
mod run;
mod show;
mod tools;

pub(crate) use args::ModulesArgs;
pub(crate) use list::{is_well, urgency};
pub(crate) use order::missing;
pub(crate) use run::run;
