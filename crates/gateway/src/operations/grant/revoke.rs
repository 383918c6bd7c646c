//! `grant/revoke`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::{ApprovalCommand, Command};
use mobkit_domain::id::{GrantId, Seq};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::operations) struct Revoke;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The grant.
    #[serde(alias = "id")]
    grant: GrantId,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The grant.
    grant: GrantId,
    /// Position of the event.
    seq: Seq,
}

impl Define for Revoke {
    const NAME: &'static str = "grant/revoke";
    const DOC: &'static str = "Takes a grant back: later calls meet their gate again.";
    const PERMISSION: Permission = Permission::Decide;
    const VERB: Verb = Verb::Decide;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, Params { grant }: Params) -> Result<Output, Refusal> {
        let command = Command::Approval(ApprovalCommand::Revoke { grant });
        let seq = cx.submit(command).await?.seq();
        Ok(Output { grant, seq })
    }
}
