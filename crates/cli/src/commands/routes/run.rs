//! `mobkit routes` as it was asked for.

use super::args::{RoutesArgs, RoutesCommand};
use super::{enable, list, resolve};
use crate::failure::{Exit, Failure};
use crate::terminal::Output;

pub(crate) async fn run(args: &RoutesArgs, output: &Output) -> Result<Exit, Failure> {
    match &args.command {
        None => list::run(&args.server, output).await,
        Some(RoutesCommand::Resolve(args)) => resolve::run(args, output).await,
        Some(RoutesCommand::Enable(args)) => enable::run(args, output).await,
    }
}
