//! The steps of a plan that are about schedules.

use crate::engine::Engine;
use mobkit_domain::command::{Command, ScheduleCommand};
use mobkit_domain::plan::{ApplyReport, Failure, Operation, SchedulePlan};
use mobkit_domain::principal::Principal;

impl Engine {
    /// Brings schedules to what the definition in force says.
    pub(super) async fn carry_out_schedules(
        &self,
        actor: &Principal,
        plan: &SchedulePlan,
        report: &mut ApplyReport,
    ) {
        for (operation, step) in plan.steps() {
            let schedule = step.schedule.clone();
            let converge = ScheduleCommand::Converge {
                schedule: schedule.clone(),
            };
            match self.order(actor, Command::Schedule(converge)).await {
                Ok(_) if operation == Operation::ScheduleRemove => {
                    report.schedules_removed.push(schedule);
                }
                Ok(_) => report.schedules_defined.push(schedule),
                Err(refusal) => report.failures.push(Failure {
                    object: format!("schedule/{schedule}"),
                    operation,
                    error: refusal.to_string(),
                }),
            }
        }
    }
}
