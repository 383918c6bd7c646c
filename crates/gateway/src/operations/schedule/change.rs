//! Changes of a schedule.

use crate::context::Context;
use mobkit_domain::command::{Command, ScheduleCommand};
use mobkit_domain::id::{ScheduleId, Seq};
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Names a schedule.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct OfSchedule {
    /// The schedule.
    #[serde(alias = "id")]
    pub(super) schedule: ScheduleId,
}

/// A schedule was changed.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct ScheduleChanged {
    /// The schedule.
    schedule: ScheduleId,
    /// Position of the event; of the head where nothing changed.
    seq: Seq,
}

/// Has a command about a schedule decided.
pub(super) async fn change(
    cx: &Context,
    schedule: ScheduleId,
    command: ScheduleCommand,
) -> Result<ScheduleChanged, Refusal> {
    let seq = cx.submit(Command::Schedule(command)).await?.seq();
    Ok(ScheduleChanged { schedule, seq })
}
