//! `mob/reconcile`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::{Define, Keys};
use crate::report::Applied;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_engine::ApplyOptions;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::operations) struct Reconcile;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// Whether a mass removal is wanted.
    #[serde(default)]
    force: bool,
}

impl Define for Reconcile {
    const NAME: &'static str = "mob/reconcile";
    const DOC: &'static str = "Plans and applies in one go.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    const KEYS: Keys = Keys::Process;
    type Params = Params;
    type Output = Applied;

    async fn run(cx: Context, params: Params) -> Result<Applied, Refusal> {
        let options = ApplyOptions {
            digest: None,
            force: params.force,
        };
        let (engine, principal) = (cx.engine.clone(), cx.principal.clone());
        cx.finish(async move { Ok(Applied::from(engine.apply(&principal, &options).await?)) })
            .await
    }
}
