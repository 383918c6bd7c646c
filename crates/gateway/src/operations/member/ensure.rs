//! `member/ensure`.

use super::spawn::{Params, spawn};
use crate::access::Permission;
use crate::change::MemberChanged;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;

pub(in crate::operations) struct Ensure;

impl Define for Ensure {
    const NAME: &'static str = "member/ensure";
    const DOC: &'static str =
        "Lets a member join, unless it is there already with this profile: then nothing changes.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = Params;
    type Output = MemberChanged;

    async fn run(cx: Context, params: Params) -> Result<MemberChanged, Refusal> {
        spawn(&cx, params, true).await
    }
}
