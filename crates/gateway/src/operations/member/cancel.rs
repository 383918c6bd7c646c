//! `member/cancel`.

use crate::access::Permission;
use crate::change::{MemberChanged, OfMemberWithReason, change};
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::MemberCommand;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;

pub(in crate::operations) struct Cancel;

impl Define for Cancel {
    const NAME: &'static str = "member/cancel";
    const DOC: &'static str =
        "Stops the running turn of a member. Messages that wait behind it are not touched.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Cancel;
    type Params = OfMemberWithReason;
    type Output = MemberChanged;

    async fn run(cx: Context, params: OfMemberWithReason) -> Result<MemberChanged, Refusal> {
        let OfMemberWithReason { member, reason } = params;
        let command = MemberCommand::Cancel {
            member: member.clone(),
            reason,
        };
        change(&cx, &member, command).await
    }
}
