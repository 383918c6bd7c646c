//! `member/retire`.

use crate::access::Permission;
use crate::change::{MemberChanged, change};
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::MemberCommand;
use mobkit_domain::event::RetireMode;
use mobkit_domain::id::MemberId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::operations) struct Retire;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The member.
    #[serde(alias = "id")]
    member: MemberId,
    /// `drain` (default): it first answers what it has accepted. `now`: that is cancelled.
    mode: Option<RetireMode>,
    /// Why, in the words of who asks.
    reason: Option<String>,
}

impl Define for Retire {
    const NAME: &'static str = "member/retire";
    const DOC: &'static str = "Lets a member leave, after its accepted work or at once.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = Params;
    type Output = MemberChanged;

    async fn run(cx: Context, params: Params) -> Result<MemberChanged, Refusal> {
        let Params {
            member,
            mode,
            reason,
        } = params;
        let mode = mode.unwrap_or(RetireMode::Drain);
        let command = MemberCommand::Retire {
            member: member.clone(),
            mode,
            reason,
        };
        change(&cx, &member, command).await
    }
}
