//! `mob/plan`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_engine::PlanView;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::operations) struct Plan;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {}

impl Define for Plan {
    const NAME: &'static str = "mob/plan";
    const DOC: &'static str = "Says what an apply would do now, with the reasons. Changes nothing.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = PlanView;

    async fn run(cx: Context, Params {}: Params) -> Result<PlanView, Refusal> {
        cx.engine.plan().await
    }
}
