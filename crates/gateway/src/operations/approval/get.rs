//! `approval/get`.

use super::story::{Story, story};
use crate::access::Permission;
use crate::approval_view::{ApprovalView, approval_missing, approval_row};
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::id::ApprovalId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::operations) struct Get;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The approval.
    #[serde(alias = "id")]
    approval: ApprovalId,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// What is asked, and what came of it.
    #[serde(flatten)]
    approval: ApprovalView,
    /// What led to it.
    #[serde(flatten)]
    story: Story,
}

impl Define for Get {
    const NAME: &'static str = "approval/get";
    const DOC: &'static str = "Shows an approval with what led to it: the messages, the words of \
                               the model, the policy and the tool.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let row = approval_row(&cx.engine, params.approval).await?;
        let row = row.ok_or_else(|| approval_missing(params.approval))?;
        let story = story(&cx.engine, &row.request).await?;
        Ok(Output {
            approval: ApprovalView::of_row(row),
            story,
        })
    }
}
