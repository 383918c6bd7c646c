//! `member/respawn`.

use crate::access::Permission;
use crate::change::{MemberChanged, change};
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::MemberCommand;
use mobkit_domain::id::{MemberId, ProfileId};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::operations) struct Respawn;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The member.
    #[serde(alias = "id")]
    member: MemberId,
    /// Its role from here on; without it, as before.
    profile: Option<ProfileId>,
    /// Why, in the words of who asks.
    reason: Option<String>,
}

impl Define for Respawn {
    const NAME: &'static str = "member/respawn";
    const DOC: &'static str = "Gives a member fresh process state; its session goes on.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = Params;
    type Output = MemberChanged;

    async fn run(cx: Context, params: Params) -> Result<MemberChanged, Refusal> {
        let Params {
            member,
            profile,
            reason,
        } = params;
        let reason = reason.unwrap_or_else(|| "requested".to_owned());
        let command = MemberCommand::Respawn {
            member: member.clone(),
            profile,
            reason,
        };
        change(&cx, &member, command).await
    }
}
