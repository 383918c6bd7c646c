//! `edge/wire`.

use super::list::EdgeView;
use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::{Command, EdgeCommand};
use mobkit_domain::edge::Edge;
use mobkit_domain::event::EdgeOrigin;
use mobkit_domain::id::{MemberId, Seq};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::operations) struct Wire;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// One end.
    pub(super) a: MemberId,
    /// The other end.
    pub(super) b: MemberId,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The edge; its origin is that of who wired it first.
    edge: EdgeView,
    /// Position of the event; of the head where the two were wired before.
    seq: Seq,
}

impl Define for Wire {
    const NAME: &'static str = "edge/wire";
    const DOC: &'static str = "Lets two members message each other.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let edge = Edge::between(&params.a, &params.b);
        let origin = EdgeOrigin::Operator;
        let command = Command::Edge(EdgeCommand::Wire {
            edge: edge.clone(),
            origin,
        });
        let seq = cx.submit(command).await?.seq();
        let origin = cx
            .engine
            .view(|world| world.state.wired.get(&edge).copied())
            .unwrap_or(origin);
        Ok(Output {
            edge: EdgeView { edge, origin },
            seq,
        })
    }
}
