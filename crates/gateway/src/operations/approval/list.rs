//! `approval/list`.

use crate::access::Permission;
use crate::approval_view::ApprovalView;
use crate::context::{Context, store_refusal};
use crate::operation::Define;
use crate::page;
use mobkit_domain::id::{ApprovalId, MemberId};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::row::{ApprovalState, Row, Table};
use mobkit_domain::state::Approval;
use mobkit_domain::time::Time;
use mobkit_store::RowQuery;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Pages of those that wait, and of all others: the two have another order, so another cursor.
const PENDING_PAGES: page::List = page::List("pending");
const PAGES: page::List = page::List("approval");

pub(in crate::operations) struct List;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// Only approvals in this state, or `all`; without it, those that wait.
    state: Option<Wanted>,
    /// Only approvals about calls of this member.
    member: Option<MemberId>,
    cursor: Option<String>,
    limit: Option<u64>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    Pending,
    Approved,
    Edited,
    Denied,
    Expired,
    Withdrawn,
    All,
}

impl Wanted {
    /// The state of rows; `None`: any.
    fn row_state(self) -> Option<ApprovalState> {
        match self {
            Self::Pending => Some(ApprovalState::Pending),
            Self::Approved => Some(ApprovalState::Approved),
            Self::Edited => Some(ApprovalState::Edited),
            Self::Denied => Some(ApprovalState::Denied),
            Self::Expired => Some(ApprovalState::Expired),
            Self::Withdrawn => Some(ApprovalState::Withdrawn),
            Self::All => None,
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The approvals. Those that wait: what expires first comes first, then the oldest. Others, and
    /// all: newest first.
    approvals: Vec<ApprovalView>,
    /// Where the next page continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// The place of an approval among those that wait; one that never expires comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(Time, ApprovalId);

impl Place {
    fn of(approval: &Approval) -> Self {
        let request = &approval.request;
        Self(request.expires.unwrap_or(Time(i64::MAX)), request.approval)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.0.0, self.1)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (ms, id) = text.split_once('+').ok_or(())?;
        let ms = ms.parse().map_err(drop)?;
        Ok(Self(Time(ms), id.parse().map_err(drop)?))
    }
}

impl Define for List {
    const NAME: &'static str = "approval/list";
    const DOC: &'static str = "Lists approvals by state and member: those that wait, what expires \
                               first at the top, unless `state` asks for others.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        match params.state.unwrap_or(Wanted::Pending) {
            Wanted::Pending => pending(&cx, &params),
            other => kept(&cx, other, params).await,
        }
    }
}

/// Those that wait are open work, so they are in memory.
fn pending(cx: &Context, params: &Params) -> Result<Output, Refusal> {
    let limit = page::limit(params.limit)?;
    let after = PENDING_PAGES.position::<Place>(params.cursor.as_deref())?;
    let mut found: Vec<(Place, ApprovalView)> = cx.engine.view(|world| {
        let open = world.state.approvals.values();
        let of_member = |open: &&Approval| {
            let member = params.member.as_ref();
            member.is_none_or(|member| *member == open.request.member)
        };
        let placed = open.filter(of_member).map(|open| (Place::of(open), open));
        let mut rest: Vec<(Place, &Approval)> = placed
            .filter(|(place, _)| after.is_none_or(|after| *place > after))
            .collect();
        rest.sort_unstable_by_key(|(place, _)| *place);
        rest.truncate(limit + 1);
        let views = rest.into_iter();
        views
            .map(|(place, open)| (place, ApprovalView::of_open(open)))
            .collect()
    });
    let next_cursor = PENDING_PAGES.cut(&mut found, limit, |(place, _)| place);
    Ok(Output {
        approvals: found.into_iter().map(|(_, view)| view).collect(),
        next_cursor,
    })
}

async fn kept(cx: &Context, wanted: Wanted, params: Params) -> Result<Output, Refusal> {
    let query = RowQuery {
        table: Table::Approval,
        owner: params.member.map(|member| member.to_string()),
        state: wanted.row_state().map(|state| state.as_str().to_owned()),
        before: PAGES.seq(params.cursor.as_deref())?,
        limit: page::limit(params.limit)?,
    };
    let page = cx.engine.store().rows(cx.engine.mob(), query).await;
    let page = page.map_err(|error| store_refusal(&error))?;
    let approvals = page.rows.into_iter().filter_map(|row| match row {
        Row::Approval(row) => Some(ApprovalView::of_row(*row)),
        Row::Message(_) | Row::Turn(_) | Row::Occurrence(_) | Row::Delivery(_) | Row::Cost(_) => {
            None
        }
    });
    let next_cursor = page.next_before.map(|before| PAGES.cursor_after(before));
    Ok(Output {
        approvals: approvals.collect(),
        next_cursor,
    })
}
