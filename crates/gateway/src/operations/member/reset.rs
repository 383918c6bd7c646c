//! `member/reset`.

use crate::access::Permission;
use crate::change::{MemberChanged, OfMember, change};
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::MemberCommand;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;

pub(in crate::operations) struct Reset;

impl Define for Reset {
    const NAME: &'static str = "member/reset";
    const DOC: &'static str = "Starts a member over as a new generation with an empty session.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = OfMember;
    type Output = MemberChanged;

    async fn run(cx: Context, params: OfMember) -> Result<MemberChanged, Refusal> {
        let member = params.member;
        let command = MemberCommand::Reset {
            member: member.clone(),
        };
        change(&cx, &member, command).await
    }
}
