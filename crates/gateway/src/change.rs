//! Answers to changes of a member.

use crate::context::Context;
use crate::snapshot::MemberSnapshot;
use mobkit_domain::command::{Command, MemberCommand};
use mobkit_domain::id::{MemberId, Seq};
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Names a member.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfMember {
    /// The member.
    #[serde(alias = "id")]
    pub member: MemberId,
}

/// Names a member and says why.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfMemberWithReason {
    /// The member.
    #[serde(alias = "id")]
    pub member: MemberId,
    /// Why, in the words of who asks.
    pub reason: Option<String>,
}

/// A member right after a change. Who repeats a request with its key gets the position of the first
/// answer, and the member as it is by then.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MemberChanged {
    /// The member.
    pub member: MemberSnapshot,
    /// Position of the event; of the head where nothing changed.
    pub seq: Seq,
}

/// Has a command about a member decided, and shows the member.
pub(crate) async fn change(
    cx: &Context,
    member: &MemberId,
    command: MemberCommand,
) -> Result<MemberChanged, Refusal> {
    let seq = cx.submit(Command::Member(command)).await?.seq();
    Ok(MemberChanged {
        member: cx.snapshot(member)?,
        seq,
    })
}
