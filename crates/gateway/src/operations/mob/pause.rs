//! `mob/pause`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::{Command, MobCommand};
use mobkit_domain::id::Seq;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::operations) struct Pause;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// Why, in the words of who asks.
    reason: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// Whether the line is stopped now.
    pub(super) paused: bool,
    /// Position of the event; of the head where nothing changed.
    pub(super) seq: Seq,
}

impl Define for Pause {
    const NAME: &'static str = "mob/pause";
    const DOC: &'static str =
        "Stops the line: no further turn begins; messages are accepted and wait.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let command = Command::Mob(MobCommand::Pause {
            reason: params.reason,
        });
        Ok(Output {
            paused: true,
            seq: cx.submit(command).await?.seq(),
        })
    }
}
