//! `grant/list`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use crate::page;
use crate::turn_view::event_at;
use mobkit_domain::event::{GrantCreated, GrantScope};
use mobkit_domain::id::{ApprovalId, GrantId, MemberId};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::state::State;
use mobkit_domain::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Bound;

const PAGES: page::List = page::List("grant");

pub(in crate::operations) struct List;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// Only grants for calls of this member.
    member: Option<MemberId>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// A permission to make calls without asking again.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct GrantView {
    /// The grant.
    id: GrantId,
    /// Qualified tool name.
    tool: String,
    /// Whose calls pass.
    member: MemberId,
    /// Arguments that must be as they are here.
    args: BTreeMap<String, Value>,
    /// Whether there may be no others.
    exact: bool,
    /// `scope` is `turn` with `turn`, or `until` with `until`.
    #[serde(flatten)]
    scope: GrantScope,
    /// Who gave it.
    by: Principal,
    /// The approval with which it was given.
    approval: ApprovalId,
    /// When it was given; absent where retention has taken that.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<Time>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The grants that hold, oldest first.
    grants: Vec<GrantView>,
    /// Where the next page continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

fn holds(state: &State, grant: &GrantCreated, now: Time) -> bool {
    match grant.scope {
        GrantScope::Turn { turn } => state.turns.contains_key(&turn),
        GrantScope::Until { until } => now < until,
    }
}

impl Define for List {
    const NAME: &'static str = "grant/list";
    const DOC: &'static str = "Lists the grants that hold: calls that pass a gate without asking.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let limit = page::limit(params.limit)?;
        let from = PAGES.from::<GrantId>(params.cursor.as_deref())?;
        let now = cx.engine.now();
        let mut found: Vec<GrantCreated> = cx.engine.view(|world| {
            let state = &world.state;
            let grants = state.grants.range((from, Bound::Unbounded));
            let wanted = grants.map(|(_, grant)| grant).filter(|grant| {
                let member = params.member.as_ref();
                holds(state, grant, now) && member.is_none_or(|member| *member == grant.member)
            });
            wanted.take(limit + 1).cloned().collect()
        });
        let next_cursor = PAGES.cut(&mut found, limit, |last| &last.grant);
        let mut grants = Vec::with_capacity(found.len());
        for grant in found {
            grants.push(shown(&cx, grant).await?);
        }
        Ok(Output {
            grants,
            next_cursor,
        })
    }
}

async fn shown(cx: &Context, grant: GrantCreated) -> Result<GrantView, Refusal> {
    let event = event_at(&cx.engine, grant.grant.0).await?;
    Ok(GrantView {
        id: grant.grant,
        tool: grant.tool,
        member: grant.member,
        args: grant.args,
        exact: grant.exact,
        scope: grant.scope,
        by: grant.by,
        approval: grant.approval,
        created: event.map(|event| event.time),
    })
}
