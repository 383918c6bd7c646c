//! The steps of a plan that are about schedules.

use crate::engine::Engine;
use mobkit_domain::command::{Command, ScheduleCommand};
use mobkit_domain::id::ScheduleId;
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
        let steps = plan.steps();
        let steps: Vec<(Operation, ScheduleId)> = steps
            .map(|(operation, step)| (operation, step.schedule.clone()))
            .collect();
        // Asked all at once they share batches: thousands don't wait for the disk one by one.
        let asked = steps.iter().map(|(_, schedule)| {
            let schedule = schedule.clone();
            let converge = ScheduleCommand::Converge { schedule };
            self.order(actor, Command::Schedule(converge))
        });
        let answers = futures::future::join_all(asked).await;
        for ((operation, schedule), answer) in steps.into_iter().zip(answers) {
            match answer {
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
