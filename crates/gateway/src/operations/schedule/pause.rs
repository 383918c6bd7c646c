//! `schedule/pause`.

use super::change::{ScheduleChanged, change};
use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::ScheduleCommand;
use mobkit_domain::id::ScheduleId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::operations) struct Pause;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The schedule.
    #[serde(alias = "id")]
    schedule: ScheduleId,
    /// Why, in the words of who asks.
    reason: Option<String>,
}

impl Define for Pause {
    const NAME: &'static str = "schedule/pause";
    const DOC: &'static str = "Lets a schedule fire no longer, until it is resumed; what was due \
                               in between is not made up for.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = Params;
    type Output = ScheduleChanged;

    async fn run(cx: Context, params: Params) -> Result<ScheduleChanged, Refusal> {
        let Params { schedule, reason } = params;
        let command = ScheduleCommand::Pause {
            schedule: schedule.clone(),
            reason,
        };
        change(&cx, schedule, command).await
    }
}
