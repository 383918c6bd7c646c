//! Decisions about routes and deliveries.

use super::{ended, queue, replay, route};
use crate::command::DeliveryCommand;
use crate::draft::{Decision, Draft};
use crate::refusal::Refusal;

pub(crate) fn decide(mut draft: Draft<'_>, command: &DeliveryCommand) -> Result<Decision, Refusal> {
    match command {
        DeliveryCommand::RoutePut(spec) => route::put(&mut draft, spec)?,
        DeliveryCommand::RouteEnable { route } => route::enable(&mut draft, route)?,
        DeliveryCommand::RouteConverge { route } => route::converge(&mut draft, route),
        DeliveryCommand::RouteRemove { route } => route::remove(&mut draft, route)?,
        DeliveryCommand::Send {
            recipient,
            channel,
            payload,
        } => {
            queue::queue(&mut draft, recipient, channel.as_deref(), payload)?;
        }
        DeliveryCommand::Ended {
            delivery,
            attempt,
            outcome,
        } => ended::ended(&mut draft, *delivery, *attempt, outcome)?,
        DeliveryCommand::Replay(row) => replay::replay(&mut draft, row)?,
    }
    Ok(draft.done())
}
