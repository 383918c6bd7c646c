//! Changes of a route.

use crate::context::Context;
use mobkit_domain::command::{Command, DeliveryCommand};
use mobkit_domain::id::{RouteId, Seq};
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Names a route.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct OfRoute {
    /// The route.
    #[serde(alias = "id")]
    pub(super) route: RouteId,
}

/// A route was changed.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct RouteChanged {
    /// The route.
    route: RouteId,
    /// Position of the event; of the head where nothing changed.
    seq: Seq,
}

/// Has a command about a route decided.
pub(super) async fn change(
    cx: &Context,
    route: RouteId,
    command: DeliveryCommand,
) -> Result<RouteChanged, Refusal> {
    let seq = cx.submit(Command::Delivery(command)).await?.seq();
    Ok(RouteChanged { route, seq })
}
