//! `mob/rediscover`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::{Define, Keys};
use crate::report::Applied;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_engine::RediscoverMode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::operations) struct Rediscover;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// How; `converge` by default.
    mode: Option<RediscoverMode>,
    /// Whether a mass removal is wanted.
    #[serde(default)]
    force: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(in crate::operations) enum Output {
    /// The host has no discovery.
    NoDiscoveryConfigured,
    /// Discovery was asked, and this is what came of it.
    Rediscovered(Box<Applied>),
}

impl Define for Rediscover {
    const NAME: &'static str = "mob/rediscover";
    const DOC: &'static str =
        "Asks discovery again and brings the mob to its answer; nothing changes if it fails.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    const KEYS: Keys = Keys::Process;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let (engine, principal) = (cx.engine.clone(), cx.principal.clone());
        let mode = params.mode.unwrap_or_default();
        cx.finish(async move {
            let report = engine.rediscover(&principal, mode, params.force).await?;
            Ok(report.map_or(Output::NoDiscoveryConfigured, |report| {
                Output::Rediscovered(Box::new(report.into()))
            }))
        })
        .await
    }
}
