//! `mobkit up`: the library, run in the foreground.

mod args;
mod banner;
mod life;
mod report;
mod run;

pub(crate) use args::UpArgs;
pub(crate) use banner::Banner;
pub(crate) use life::{Launch, ModuleState, Ready, Stopped};
pub(crate) use report::{conclude, last_words};
pub(crate) use run::{Signals, Teller, block_on, run};
