//! `delivery/replay`.

use crate::access::Permission;
use crate::context::Context;
use crate::delivery_view::delivery_row;
use crate::operation::Define;
use mobkit_domain::command::{Command, DeliveryCommand};
use mobkit_domain::id::{DeliveryId, Seq};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::operations) struct Replay;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The delivery.
    #[serde(alias = "id")]
    delivery: DeliveryId,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The delivery.
    delivery: DeliveryId,
    /// Position of the event.
    seq: Seq,
}

impl Define for Replay {
    const NAME: &'static str = "delivery/replay";
    const DOC: &'static str = "Sends a dead or unknown delivery again, under the same id, over \
                               the route that takes it now.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, Params { delivery }: Params) -> Result<Output, Refusal> {
        let row = delivery_row(&cx.engine, delivery).await?;
        let command = DeliveryCommand::Replay(Box::new(row));
        let seq = cx.submit(Command::Delivery(command)).await?.seq();
        Ok(Output { delivery, seq })
    }
}
