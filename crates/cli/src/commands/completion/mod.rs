//! `mobkit completion`: what shells complete, words of the command line and ids of a running mob.

mod candidates;
mod script;
mod tree;

pub(crate) use script::{CompletionArgs, run};
pub(crate) use tree::completable;
