//! `route/list`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use crate::page::{self, Params};
use crate::route_view::RouteView;
use mobkit_domain::id::RouteId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::Bound;

const PAGES: page::List = page::List("route");

pub(in crate::operations) struct List;

#[derive(Debug, Serialize, JsonSchema)]
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
        let from = PAGES.from::<RouteId>(params.cursor.as_deref())?;
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
        let next_cursor = PAGES.cut(&mut routes, limit, |last| &last.id);
        Ok(Output {
            routes,
            next_cursor,
        })
    }
}
