//! `delivery/get`.

use crate::access::Permission;
use crate::context::Context;
use crate::delivery_view::{DeliveryView, delivery_row, delivery_view};
use crate::operation::Define;
use mobkit_domain::id::DeliveryId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(in crate::operations) struct Get;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The delivery.
    #[serde(alias = "id")]
    delivery: DeliveryId,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// As in a list.
    #[serde(flatten)]
    delivery: DeliveryView,
    /// What it says; a long text in it is a reference.
    payload: Value,
}

impl Define for Get {
    const NAME: &'static str = "delivery/get";
    const DOC: &'static str = "Shows a delivery: what it says, where it stands, and its attempts.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let row = delivery_row(&cx.engine, params.delivery).await?;
        let payload = row.queued.payload.clone();
        Ok(Output {
            delivery: delivery_view(&cx.engine, row).await?,
            payload,
        })
    }
}
