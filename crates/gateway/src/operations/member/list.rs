//! `member/list`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use crate::page;
use crate::snapshot::{MemberSnapshot, member_snapshot};
use mobkit_domain::id::{MemberId, ProfileId};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::state::{Member, MemberState};
use mobkit_domain::world::World;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Bound;

const PAGES: page::List = page::List("member");

pub(in crate::operations) struct List;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// Only members with this label: `name=value`, or `name` for any value.
    label: Option<String>,
    /// Only members in this state. Members that have left are listed for `retired` alone.
    state: Option<MemberState>,
    /// Only members of this profile.
    profile: Option<ProfileId>,
    cursor: Option<String>,
    limit: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The members, in the order of their ids.
    members: Vec<MemberSnapshot>,
    /// Where the next page continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Params {
    fn wants(&self, world: &World, id: &MemberId, member: &Member) -> bool {
        let in_state = match self.state {
            None => !member.is_retired(),
            Some(wanted) => world.state.member_state(id) == Some(wanted),
        };
        in_state
            && self
                .profile
                .as_ref()
                .is_none_or(|wanted| *wanted == member.profile)
            && self
                .label
                .as_deref()
                .is_none_or(|label| match label.split_once('=') {
                    Some((name, value)) => {
                        member.labels.get(name).is_some_and(|found| found == value)
                    }
                    None => member.labels.contains_key(label),
                })
    }
}

impl Define for List {
    const NAME: &'static str = "member/list";
    const DOC: &'static str = "Lists members by label, state and profile.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let limit = page::limit(params.limit)?;
        let from = PAGES.from::<MemberId>(params.cursor.as_deref())?;
        let mut members: Vec<MemberSnapshot> = cx.engine.view(|world| {
            let members = world.state.members.range((from, Bound::Unbounded));
            let wanted = members.filter(|(id, member)| params.wants(world, id, member));
            wanted
                .filter_map(|(id, _)| member_snapshot(world, id))
                .take(limit + 1)
                .collect()
        });
        let next_cursor = PAGES.cut(&mut members, limit, |last| &last.id);
        Ok(Output {
            members,
            next_cursor,
        })
    }
}
