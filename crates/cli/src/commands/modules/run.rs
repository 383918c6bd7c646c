//! `mobkit modules` as it was asked for.

use super::args::{ModulesArgs, ModulesCommand};
use super::{call, list, log, order, show, tools};
use crate::failure::{Exit, Failure};
use crate::terminal::Output;

pub(crate) async fn run(args: &ModulesArgs, output: &Output) -> Result<Exit, Failure> {
    match &args.command {
        None => list::run(&args.server, output).await,
        Some(ModulesCommand::Show(args)) => show::run(args, output).await,
        Some(ModulesCommand::Start(args)) => order::run(args, "start", output).await,
        Some(ModulesCommand::Stop(args)) => order::run(args, "stop", output).await,
        Some(ModulesCommand::Restart(args)) => order::run(args, "restart", output).await,
        Some(ModulesCommand::Call(args)) => call::run(args, output).await,
        Some(ModulesCommand::Log(args)) => log::run(args, output).await,
        Some(ModulesCommand::Tools(args)) => tools::run(args, output).await,
    }
}
