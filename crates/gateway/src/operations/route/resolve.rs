//! `route/resolve`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use crate::route_view::sink_kind;
use mobkit_domain::delivery::{Taker, taker};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::operations) struct Resolve;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// For whom a delivery would be.
    recipient: String,
    /// On which channel.
    channel: Option<String>,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The route that would take it; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<String>,
    /// How it would be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    sink: Option<&'static str>,
    /// Why it would be refused, for a program.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// Why it would be refused, for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What to do about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Define for Resolve {
    const NAME: &'static str = "route/resolve";
    const DOC: &'static str = "Says which route would take a delivery now. Sends nothing.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let Params { recipient, channel } = params;
        Ok(cx.engine.view(
            |world| match taker(&world.state, &recipient, channel.as_deref()) {
                Ok(found) => Output {
                    route: Some(found.name()),
                    sink: Some(match &found {
                        Taker::Route(_, route) => sink_kind(&route.spec.sink),
                        Taker::Member(_) => "member",
                    }),
                    ..Output::default()
                },
                Err(refusal) => Output {
                    code: Some(refusal.code),
                    reason: Some(refusal.message),
                    hint: refusal.hint,
                    ..Output::default()
                },
            },
        ))
    }
}
