//! `edge/unwire`.

use super::wire::Params;
use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::{Command, EdgeCommand};
use mobkit_domain::edge::Edge;
use mobkit_domain::event::UnwireReason;
use mobkit_domain::id::Seq;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::Serialize;

pub(in crate::operations) struct Unwire;

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The edge that is gone.
    edge: Edge,
    /// Position of the event.
    seq: Seq,
}

impl Define for Unwire {
    const NAME: &'static str = "edge/unwire";
    const DOC: &'static str = "Ends that two members may message each other.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let edge = Edge::between(&params.a, &params.b);
        let reason = UnwireReason::Requested;
        let command = Command::Edge(EdgeCommand::Unwire {
            edge: edge.clone(),
            reason,
        });
        Ok(Output {
            seq: cx.submit(command).await?.seq(),
            edge,
        })
    }
}
