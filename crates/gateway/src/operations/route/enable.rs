//! `route/enable`.

use super::change::{OfRoute, RouteChanged, change};
use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::DeliveryCommand;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;

pub(in crate::operations) struct Enable;

impl Define for Enable {
    const NAME: &'static str = "route/enable";
    const DOC: &'static str = "Uses a route again whose receiver wanted nothing more, one of the \
                               mob file included.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = OfRoute;
    type Output = RouteChanged;

    async fn run(cx: Context, OfRoute { route }: OfRoute) -> Result<RouteChanged, Refusal> {
        let command = DeliveryCommand::RouteEnable {
            route: route.clone(),
        };
        change(&cx, route, command).await
    }
}
