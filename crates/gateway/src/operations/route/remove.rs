//! `route/remove`.

use super::change::{OfRoute, RouteChanged, change};
use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::DeliveryCommand;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;

pub(in crate::operations) struct Remove;

impl Define for Remove {
    const NAME: &'static str = "route/remove";
    const DOC: &'static str = "Forgets a route; what is on its way over it is dead.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = OfRoute;
    type Output = RouteChanged;

    async fn run(cx: Context, OfRoute { route }: OfRoute) -> Result<RouteChanged, Refusal> {
        let command = DeliveryCommand::RouteRemove {
            route: route.clone(),
        };
        change(&cx, route, command).await
    }
}
