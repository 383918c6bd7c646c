//! `cost/summary`.

use super::group::{By, Group, Groups, Others, Sum};
use crate::access::Permission;
use crate::context::{Context, store_refusal};
use crate::operation::Define;
use crate::page;
use mobkit_domain::id::MemberId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::row::{Row, Table};
use mobkit_domain::time::Time;
use mobkit_store::RowQuery;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Rows that are read at a time.
const ROWS: usize = 1_000;
/// Calls are read from the newest back to those so much older than the window: a clock that was set
/// back may have left some of the window behind others that look older.
const CLOCK_SET_BACK_MAX_MS: i64 = 86_400_000;

pub(in crate::operations) struct Summary;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// What the calls are put together by; `member` where nobody says.
    #[serde(default)]
    by: By,
    /// Only calls recorded at this time or later (RFC 3339).
    from: Option<Time>,
    /// Only calls recorded before this time (RFC 3339).
    until: Option<Time>,
    /// Only calls of this member, which may have left.
    member: Option<MemberId>,
    /// At most so many groups; the others are summed up in one.
    limit: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    by: By,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Time>,
    /// All calls of the window.
    total: Sum,
    /// What they are put together by, the dearest first; days the latest first.
    groups: Vec<Group>,
    /// The groups that are not listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    others: Option<Others>,
    /// Whether a script answered instead of a model.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    rehearsal: bool,
}

impl Define for Summary {
    const NAME: &'static str = "cost/summary";
    const DOC: &'static str = "Sums up what model calls used and cost, by member, model, profile, \
                               day, schedule or turn. Calls without a price are counted apart.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let limit = page::limit(params.limit)?;
        check_window(&params)?;
        let mut groups = Groups::new(params.by);
        read(&cx, &params, &mut groups).await?;
        let (total, groups, others) = groups.into_sums(limit);
        Ok(Output {
            by: params.by,
            from: params.from,
            until: params.until,
            total,
            groups,
            others,
            rehearsal: cx.engine.is_rehearsal(),
        })
    }
}

fn check_window(params: &Params) -> Result<(), Refusal> {
    match (params.from, params.until) {
        (Some(from), Some(until)) if until <= from => {
            let message = format!("the window ends at {until}, before it begins at {from}");
            Err(
                Refusal::new(RefusalKind::Invalid, "cost.window_empty", message)
                    .hint("`from` is the first moment that counts, `until` the first that does not")
                    .data(json!({ "field": "until" })),
            )
        }
        _ => Ok(()),
    }
}

/// Sums up the calls of the window. What is recorded while it reads is counted or not, as a whole.
async fn read(cx: &Context, params: &Params, groups: &mut Groups) -> Result<(), Refusal> {
    let mut query = RowQuery {
        table: Table::Cost,
        owner: params.member.as_ref().map(ToString::to_string),
        state: None,
        before: 0,
        limit: ROWS,
    };
    let earliest = params
        .from
        .map(|from| from.0.saturating_sub(CLOCK_SET_BACK_MAX_MS));
    loop {
        let page = cx
            .engine
            .store()
            .rows(cx.engine.mob(), query.clone())
            .await
            .map_err(|error| store_refusal(&error))?;
        for row in page.rows {
            let Row::Cost(row) = row else { continue };
            if earliest.is_some_and(|earliest| row.at.0 < earliest) {
                return Ok(());
            }
            let begun = params.from.is_none_or(|from| from <= row.at);
            if begun && params.until.is_none_or(|until| row.at < until) {
                groups.add(&row);
            }
        }
        match page.next_before {
            Some(before) => query.before = before,
            None => return Ok(()),
        }
    }
}
