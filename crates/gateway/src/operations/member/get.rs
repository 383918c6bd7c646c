//! `member/get`.

use crate::access::Permission;
use crate::change::OfMember;
use crate::context::Context;
use crate::operation::Define;
use crate::snapshot::MemberSnapshot;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;

pub(in crate::operations) struct Get;

impl Define for Get {
    const NAME: &'static str = "member/get";
    const DOC: &'static str = "Shows a member as it is now.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = OfMember;
    type Output = MemberSnapshot;

    async fn run(cx: Context, params: OfMember) -> Result<MemberSnapshot, Refusal> {
        cx.snapshot(&params.member)
    }
}
