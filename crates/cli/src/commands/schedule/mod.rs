//! `mobkit schedule`: when work is triggered, and what became of it.

mod args;
mod backfill;
mod calendar;
mod change;
mod list;
mod next;
mod put;
mod run;
mod runs;
mod show;

pub(crate) use args::ScheduleArgs;
pub(crate) use run::run;
