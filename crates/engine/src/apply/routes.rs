//! The steps of a plan that are about routes.

use crate::engine::Engine;
use mobkit_domain::command::{Command, DeliveryCommand};
use mobkit_domain::plan::{ApplyReport, Failure, Operation, RoutePlan};
use mobkit_domain::principal::Principal;

impl Engine {
    /// Brings routes to what the definition in force says.
    pub(super) async fn carry_out_routes(
        &self,
        actor: &Principal,
        plan: &RoutePlan,
        report: &mut ApplyReport,
    ) {
        for (operation, step) in plan.steps() {
            let route = step.route.clone();
            let converge = DeliveryCommand::RouteConverge {
                route: route.clone(),
            };
            match self.order(actor, Command::Delivery(converge)).await {
                Ok(_) if operation == Operation::RouteRemove => {
                    report.routes_removed.push(route);
                }
                Ok(_) => report.routes_defined.push(route),
                Err(refusal) => report.failures.push(Failure {
                    object: format!("route/{route}"),
                    operation,
                    error: refusal.to_string(),
                }),
            }
        }
    }
}
