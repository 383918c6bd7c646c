//! `route/put`.

use super::change::{RouteChanged, change};
use crate::access::Permission;
use crate::context::Context;
use crate::entry::object;
use crate::operation::Define;
use mobkit_domain::command::DeliveryCommand;
use mobkit_domain::definition::{EntryError, route_of};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(in crate::operations) struct Put;

/// The keys of a `[[routes]]` entry. Their values are read by the reader of the mob file.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    #[serde(alias = "route")]
    id: Option<Value>,
    #[serde(rename = "match")]
    matches: Option<Value>,
    sink: Option<Value>,
    retry: Option<Value>,
    rate: Option<Value>,
}

impl Define for Put {
    const NAME: &'static str = "route/put";
    const DOC: &'static str = "Defines a route as the mob file does, or changes one that the mob \
                               file does not define.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = Params;
    type Output = RouteChanged;

    async fn run(cx: Context, params: Params) -> Result<RouteChanged, Refusal> {
        let spec = route_of(&object(&params)).map_err(|errors| EntryError::refusal(&errors))?;
        let route = spec.id.clone();
        change(&cx, route, DeliveryCommand::RoutePut(Box::new(spec))).await
    }
}
