//! `turn/list`.

use crate::access::Permission;
use crate::context::{Context, store_refusal};
use crate::operation::Define;
use crate::page;
use crate::turn_view::TurnView;
use mobkit_domain::id::MemberId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::row::{Row, Table, TurnStatus};
use mobkit_store::RowQuery;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const PAGES: page::List = page::List("turn");

pub(in crate::operations) struct List;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// Only turns of this member.
    member: Option<MemberId>,
    /// Only turns with this status.
    #[serde(alias = "state")]
    status: Option<TurnStatus>,
    cursor: Option<String>,
    limit: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The turns, newest first. Long answers are references; `turn/get` has them.
    turns: Vec<TurnView>,
    /// Where the next page continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

fn word(status: TurnStatus) -> &'static str {
    match status {
        TurnStatus::Running => "running",
        TurnStatus::Waiting => "waiting",
        TurnStatus::Checkpointed => "checkpointed",
        TurnStatus::Completed => "completed",
        TurnStatus::Failed => "failed",
        TurnStatus::Cancelled => "cancelled",
    }
}

impl Define for List {
    const NAME: &'static str = "turn/list";
    const DOC: &'static str = "Lists turns, newest first, by member and status.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let query = RowQuery {
            table: Table::Turn,
            owner: params.member.map(|member| member.to_string()),
            state: params.status.map(|status| word(status).to_owned()),
            before: PAGES.seq(params.cursor.as_deref())?,
            limit: page::limit(params.limit)?,
        };
        let page = cx.engine.store().rows(cx.engine.mob(), query).await;
        let page = page.map_err(|error| store_refusal(&error))?;
        let turns = page.rows.into_iter().filter_map(|row| match row {
            Row::Turn(row) => Some(TurnView::of_row(&cx.engine, row)),
            Row::Message(_)
            | Row::Approval(_)
            | Row::Occurrence(_)
            | Row::Delivery(_)
            | Row::Cost(_) => None,
        });
        let next_cursor = page.next_before.map(|before| PAGES.cursor_after(before));
        Ok(Output {
            turns: turns.collect(),
            next_cursor,
        })
    }
}
