//! `route/list`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use crate::page;
use crate::route_view::RouteView;
use mobkit_domain::id::RouteId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Bound;

const PAGES: page::List = page::List("route");

pub(in crate::operations) struct List;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    cursor: Option<String>,
    limit: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(in crate::operations) struct Output {
    /// The routes, in the order of their ids, without those that every member has.
    routes: Vec<RouteView>,
    /// Where the next page continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Define for List {
    const NAME: &'static str = "route/list";
    const DOC: &'static str = "Lists the routes, those that are out of use included.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let limit = page::limit(params.limit)?;
        let from = PAGES
            .position::<RouteId>(params.cursor.as_deref())?
            .map_or(Bound::Unbounded, Bound::Excluded);
        let mut routes: Vec<RouteView> = cx.engine.view(|world| {
            let mut open: BTreeMap<&str, usize> = BTreeMap::new();
            for delivery in world.state.deliveries.values() {
                *open.entry(&delivery.queued.route).or_default() += 1;
            }
            let rest = world.state.routes.range((from, Bound::Unbounded));
            let page = rest.take(limit + 1);
            page.map(|(id, found)| {
                RouteView::of(found, open.get(id.as_str()).copied().unwrap_or(0))
            })
            .collect()
        });
        let more = routes.len() > limit;
        routes.truncate(limit);
        let last = routes.last().filter(|_| more);
        let next_cursor = last.map(|last| PAGES.cursor_after(&last.id));
        Ok(Output {
            routes,
            next_cursor,
        })
    }
}
