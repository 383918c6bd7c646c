//! `delivery/list`.

use crate::access::Permission;
use crate::context::{Context, store_refusal};
use crate::delivery_view::{DeliveryView, delivery_view};
use crate::operation::Define;
use crate::page;
use mobkit_domain::id::Seq;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::row::{DeliveryRow, DeliveryState, Row, Table};
use mobkit_store::RowQuery;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const PAGES: page::List = page::List("delivery");
/// How many deliveries are looked through for those of one recipient before the page ends.
const LOOKED_THROUGH_MAX: usize = 10_000;
/// Rows that are read at a time for that.
const PAGE_ROWS: usize = 500;

pub(in crate::operations) struct List;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// Only deliveries in this state.
    state: Option<DeliveryState>,
    /// Only deliveries over this route; `member:<id>` for the one that every member has.
    route: Option<String>,
    /// Only deliveries for this recipient.
    recipient: Option<String>,
    cursor: Option<String>,
    limit: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The deliveries, newest first. What they say is in `delivery/get`.
    deliveries: Vec<DeliveryView>,
    /// Where the next page continues. With `recipient` a page may be short, even empty, and have
    /// one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Define for List {
    const NAME: &'static str = "delivery/list";
    const DOC: &'static str = "Lists deliveries with their attempts, newest first, by state, \
                               route and recipient.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let limit = page::limit(params.limit)?;
        let query = RowQuery {
            table: Table::Delivery,
            owner: params.route,
            state: params.state.map(|state| state.as_str().to_owned()),
            before: PAGES.seq(params.cursor.as_deref())?,
            limit,
        };
        let (rows, next) = match &params.recipient {
            None => page_of(&cx, query).await?,
            Some(recipient) => for_recipient(&cx, query, recipient).await?,
        };
        let mut deliveries = Vec::with_capacity(rows.len());
        for row in rows {
            deliveries.push(delivery_view(&cx.engine, row).await?);
        }
        Ok(Output {
            deliveries,
            next_cursor: next.map(|before| PAGES.cursor_after(before)),
        })
    }
}

/// Rows, newest first, and before which the next ones are.
type Rows = (Vec<DeliveryRow>, Option<Seq>);

async fn page_of(cx: &Context, query: RowQuery) -> Result<Rows, Refusal> {
    let page = cx.engine.store().rows(cx.engine.mob(), query).await;
    let page = page.map_err(|error| store_refusal(&error))?;
    let rows = page.rows.into_iter().filter_map(|row| match row {
        Row::Delivery(row) => Some(*row),
        Row::Message(_) | Row::Turn(_) | Row::Approval(_) | Row::Occurrence(_) | Row::Cost(_) => {
            None
        }
    });
    Ok((rows.collect(), page.next_before))
}

/// The table knows no recipients, so the rows are looked through.
async fn for_recipient(
    cx: &Context,
    mut query: RowQuery,
    recipient: &str,
) -> Result<Rows, Refusal> {
    let limit = query.limit;
    query.limit = PAGE_ROWS;
    let (mut found, mut looked) = (Vec::new(), 0);
    loop {
        let (rows, next) = page_of(cx, query.clone()).await?;
        looked += rows.len();
        let last = rows.last().map(|row| row.queued.delivery.0);
        for row in rows {
            if row.queued.recipient == recipient {
                found.push(row);
            }
            if found.len() == limit {
                let end = found.last().map(|row| row.queued.delivery.0);
                return Ok((
                    found,
                    end.filter(|end| next.is_some() || Some(*end) != last),
                ));
            }
        }
        match next {
            Some(before) if looked < LOOKED_THROUGH_MAX => query.before = before,
            next => return Ok((found, next)),
        }
    }
}
