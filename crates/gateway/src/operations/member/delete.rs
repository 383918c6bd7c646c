//! `member/delete`.

use crate::access::Permission;
use crate::change::OfMember;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::{Command, MemberCommand};
use mobkit_domain::id::{MemberId, Seq};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::Serialize;

pub(in crate::operations) struct Delete;

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The member that is forgotten; its events stay in the journal.
    deleted: MemberId,
    /// Position of the event.
    seq: Seq,
}

impl Define for Delete {
    const NAME: &'static str = "member/delete";
    const DOC: &'static str = "Forgets a member that has left.";
    const PERMISSION: Permission = Permission::Administer;
    const VERB: Verb = Verb::Mutate;
    type Params = OfMember;
    type Output = Output;

    async fn run(cx: Context, params: OfMember) -> Result<Output, Refusal> {
        let deleted = params.member;
        let command = Command::Member(MemberCommand::Delete {
            member: deleted.clone(),
        });
        Ok(Output {
            seq: cx.submit(command).await?.seq(),
            deleted,
        })
    }
}
