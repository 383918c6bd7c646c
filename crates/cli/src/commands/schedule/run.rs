//! `mobkit schedule` as it was asked for.

use super::args::{ScheduleArgs, ScheduleCommand};
use super::{backfill, change, list, next, put, runs, show};
use crate::failure::{Exit, Failure};
use crate::terminal::Output;

pub(crate) async fn run(args: &ScheduleArgs, output: &Output) -> Result<Exit, Failure> {
    match &args.command {
        None => list::run(&args.server, output).await,
        Some(ScheduleCommand::List { server }) => list::run(server, output).await,
        Some(ScheduleCommand::Show(args)) => show::run(args, output).await,
        Some(ScheduleCommand::Put(args)) => put::run(args, output).await,
        Some(ScheduleCommand::Rm(args)) => change::run(args, "remove", output).await,
        Some(ScheduleCommand::Pause(args)) => change::pause(args, output).await,
        Some(ScheduleCommand::Resume(args)) => change::run(args, "resume", output).await,
        Some(ScheduleCommand::Trigger(args)) => change::run(args, "trigger", output).await,
        Some(ScheduleCommand::Next(args)) => next::run(args, output).await,
        Some(ScheduleCommand::Runs(args)) => runs::run(args, output).await,
        Some(ScheduleCommand::Backfill(args)) => backfill::run(args, output).await,
    }
}
