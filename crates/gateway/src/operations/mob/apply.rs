//! `mob/apply`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::{Define, Keys};
use crate::report::Applied;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_engine::ApplyOptions;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::operations) struct Apply;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The digest of the plan that was seen; without it, whatever the plan is now.
    digest: Option<String>,
    /// Whether a mass removal is wanted.
    #[serde(default)]
    force: bool,
}

impl Define for Apply {
    const NAME: &'static str = "mob/apply";
    const DOC: &'static str =
        "Applies the plan with this digest; refused where the world has moved on.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    const KEYS: Keys = Keys::Process;
    type Params = Params;
    type Output = Applied;

    async fn run(cx: Context, params: Params) -> Result<Applied, Refusal> {
        let Params { digest, force } = params;
        let (engine, principal) = (cx.engine.clone(), cx.principal.clone());
        cx.finish(async move {
            let report = engine
                .apply(&principal, &ApplyOptions { digest, force })
                .await?;
            Ok(Applied::from(report))
        })
        .await
    }
}
