//! `delivery/send`.

use crate::access::Permission;
use crate::context::{Context, store_refusal};
use crate::operation::Define;
use mobkit_domain::command::{Command, DeliveryCommand};
use mobkit_domain::id::{DeliveryId, Seq};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_engine::stash_value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(in crate::operations) struct Send;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// For whom.
    recipient: String,
    /// On which channel.
    channel: Option<String>,
    /// What it says: any JSON.
    payload: Value,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The delivery.
    delivery: DeliveryId,
    /// Position of its event.
    seq: Seq,
}

impl Define for Send {
    const NAME: &'static str = "delivery/send";
    const DOC: &'static str = "Sends something over the route that takes it; answers once the \
                               delivery is durable.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let payload = stash_value(cx.engine.store().as_ref(), params.payload).await;
        let command = DeliveryCommand::Send {
            recipient: params.recipient,
            channel: params.channel,
            payload: payload.map_err(|error| store_refusal(&error))?,
        };
        let seq = cx.submit(Command::Delivery(command)).await?.seq();
        Ok(Output {
            delivery: DeliveryId(seq),
            seq,
        })
    }
}
