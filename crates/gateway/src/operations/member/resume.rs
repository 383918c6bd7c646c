//! `member/resume`.

use crate::access::Permission;
use crate::change::{MemberChanged, OfMember, change};
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::MemberCommand;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;

pub(in crate::operations) struct Resume;

impl Define for Resume {
    const NAME: &'static str = "member/resume";
    const DOC: &'static str = "Lets a paused or quarantined member work again.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = OfMember;
    type Output = MemberChanged;

    async fn run(cx: Context, params: OfMember) -> Result<MemberChanged, Refusal> {
        let member = params.member;
        let command = MemberCommand::Resume {
            member: member.clone(),
        };
        change(&cx, &member, command).await
    }
}
