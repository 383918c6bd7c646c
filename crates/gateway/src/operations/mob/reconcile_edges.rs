//! `mob/reconcile_edges`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::{Define, Keys};
use crate::report::EdgesApplied;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::operations) struct ReconcileEdges;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {}

impl Define for ReconcileEdges {
    const NAME: &'static str = "mob/reconcile_edges";
    const DOC: &'static str =
        "Brings the edges to what the mob file and edge discovery want; members stay as they are.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    const KEYS: Keys = Keys::Process;
    type Params = Params;
    type Output = EdgesApplied;

    async fn run(cx: Context, Params {}: Params) -> Result<EdgesApplied, Refusal> {
        let (engine, principal) = (cx.engine.clone(), cx.principal.clone());
        cx.finish(async move { Ok(engine.reconcile_edges(&principal).await?.into()) })
            .await
    }
}
