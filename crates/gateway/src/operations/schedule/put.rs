//! `schedule/put`.

use crate::access::Permission;
use crate::context::Context;
use crate::entry::object;
use crate::operation::Define;
use mobkit_domain::command::{Command, ScheduleCommand};
use mobkit_domain::definition::{EntryError, schedule_of, target_of};
use mobkit_domain::id::{ScheduleId, Seq};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::schedule::target_problem;
use mobkit_domain::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(in crate::operations) struct Put;

/// The keys of a `[[schedules]]` entry. Their values are read by the reader of the mob file.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    #[serde(alias = "schedule")]
    id: Option<Value>,
    cron: Option<Value>,
    every: Option<Value>,
    at: Option<Value>,
    timezone: Option<Value>,
    jitter: Option<Value>,
    to: Option<Value>,
    message: Option<Value>,
    missed: Option<Value>,
    overlap: Option<Value>,
    enabled: Option<Value>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The schedule.
    schedule: ScheduleId,
    /// Position of the event; of the head where nothing changed.
    seq: Seq,
    /// When it fires next, jitter included; absent: not by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Time>,
}

impl Define for Put {
    const NAME: &'static str = "schedule/put";
    const DOC: &'static str = "Defines a schedule as the mob file does, or changes one that the \
                               mob file does not define; its history stays.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let entry = object(&params);
        let spec = schedule_of(&entry).map_err(|mut errors| {
            // Whether its target is there is decided with the rest; here it is only told.
            let target = target_of(&entry);
            let problem = target.and_then(|to| cx.engine.view(|world| target_problem(world, &to)));
            errors.extend(problem);
            EntryError::refusal(&errors)
        })?;
        let schedule = spec.id.clone();
        let command = Command::Schedule(ScheduleCommand::Put(Box::new(spec)));
        let seq = cx.submit(command).await?.seq();
        let next = cx.engine.view(|world| {
            let found = world.state.schedules.get(&schedule)?;
            found.next.filter(|_| found.is_active())
        });
        Ok(Output {
            schedule,
            seq,
            next,
        })
    }
}
