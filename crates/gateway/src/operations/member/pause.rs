//! `member/pause`.

use crate::access::Permission;
use crate::change::{MemberChanged, OfMemberWithReason, change};
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::MemberCommand;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;

pub(in crate::operations) struct Pause;

impl Define for Pause {
    const NAME: &'static str = "member/pause";
    const DOC: &'static str =
        "Lets a member begin no further turn; messages are accepted and wait.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = OfMemberWithReason;
    type Output = MemberChanged;

    async fn run(cx: Context, params: OfMemberWithReason) -> Result<MemberChanged, Refusal> {
        let OfMemberWithReason { member, reason } = params;
        let command = MemberCommand::Pause {
            member: member.clone(),
            reason,
        };
        change(&cx, &member, command).await
    }
}
