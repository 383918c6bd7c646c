//! `mob/resume`.

use super::pause::Output;
use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::{Command, MobCommand};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::operations) struct Resume;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {}

impl Define for Resume {
    const NAME: &'static str = "mob/resume";
    const DOC: &'static str = "Starts the line again after a pause.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, Params {}: Params) -> Result<Output, Refusal> {
        let command = Command::Mob(MobCommand::Resume);
        Ok(Output {
            paused: false,
            seq: cx.submit(command).await?.seq(),
        })
    }
}
