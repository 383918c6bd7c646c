//! `mob/reset`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::{Define, Keys};
use crate::report::Applied;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::operations) struct Reset;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// Whether a mass removal is wanted.
    #[serde(default)]
    force: bool,
}

impl Define for Reset {
    const NAME: &'static str = "mob/reset";
    const DOC: &'static str = "Retires every member and spawns all that are wanted as new \
                               generations, with empty sessions.";
    const PERMISSION: Permission = Permission::Administer;
    const VERB: Verb = Verb::Mutate;
    const KEYS: Keys = Keys::Process;
    type Params = Params;
    type Output = Applied;

    async fn run(cx: Context, params: Params) -> Result<Applied, Refusal> {
        let (engine, principal) = (cx.engine.clone(), cx.principal.clone());
        cx.finish(async move {
            let report = engine.reset(&principal, params.force).await?;
            Ok(Applied::from(report))
        })
        .await
    }
}
