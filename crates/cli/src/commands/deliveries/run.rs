//! `mobkit deliveries` as it was asked for.

use super::args::{DeliveriesArgs, DeliveriesCommand};
use super::{list, replay, send, show};
use crate::failure::{Exit, Failure};
use crate::terminal::Output;

pub(crate) async fn run(args: &DeliveriesArgs, output: &Output) -> Result<Exit, Failure> {
    match &args.command {
        None => list::run(args, output).await,
        Some(DeliveriesCommand::Show { id, server }) => show::run(id, server, output).await,
        Some(DeliveriesCommand::Replay(args)) => replay::run(args, output).await,
        Some(DeliveriesCommand::Send(args)) => send::run(args, output).await,
    }
}
