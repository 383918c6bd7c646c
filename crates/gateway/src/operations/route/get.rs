//! `route/get`.

use super::change::OfRoute;
use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use crate::route_view::{RouteView, route_missing};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;

pub(in crate::operations) struct Get;

impl Define for Get {
    const NAME: &'static str = "route/get";
    const DOC: &'static str = "Shows a route: what it takes, how that is sent, and whether it is \
                               in use.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = OfRoute;
    type Output = RouteView;

    async fn run(cx: Context, OfRoute { route }: OfRoute) -> Result<RouteView, Refusal> {
        let found = cx.engine.view(|world| {
            let found = world.state.routes.get(&route)?;
            let open = world.state.deliveries.values();
            let over = open.filter(|open| open.queued.route == route.as_str());
            Some(RouteView::of(found, over.count()))
        });
        found.ok_or_else(|| route_missing(&cx.engine, &route))
    }
}
