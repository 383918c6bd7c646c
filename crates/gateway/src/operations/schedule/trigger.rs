//! `schedule/trigger`.

use super::change::{OfSchedule, ScheduleChanged, change};
use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::ScheduleCommand;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;

pub(in crate::operations) struct Trigger;

impl Define for Trigger {
    const NAME: &'static str = "schedule/trigger";
    const DOC: &'static str = "Runs a schedule now, once, whatever its times are.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = OfSchedule;
    type Output = ScheduleChanged;

    async fn run(cx: Context, params: OfSchedule) -> Result<ScheduleChanged, Refusal> {
        let schedule = params.schedule;
        let command = ScheduleCommand::Trigger {
            schedule: schedule.clone(),
        };
        change(&cx, schedule, command).await
    }
}
