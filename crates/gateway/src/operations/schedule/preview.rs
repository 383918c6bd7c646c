//! `schedule/preview`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use crate::schedule_view::schedule_missing;
use mobkit_domain::definition::{EntryError, schedule_of};
use mobkit_domain::id::ScheduleId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::schedule::Calendar;
use mobkit_domain::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How many due times are shown where nobody says.
const SHOWN: u64 = 5;
/// How many due times are shown at most.
const SHOWN_MAX: u64 = 100;

pub(in crate::operations) struct Preview;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// A schedule that is there; else one of `cron`, `every` and `at`.
    #[serde(alias = "id")]
    schedule: Option<ScheduleId>,
    /// As in the mob file.
    cron: Option<String>,
    /// As in the mob file; it counts from now.
    every: Option<String>,
    /// As in the mob file.
    at: Option<String>,
    /// As in the mob file.
    timezone: Option<String>,
    /// How many due times; 5 where it is left out, at most 100.
    n: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The next due times, jitter aside; fewer where there are no more.
    due: Vec<Time>,
}

impl Define for Preview {
    const NAME: &'static str = "schedule/preview";
    const DOC: &'static str = "Says when a schedule is due next, or when one with these times \
                               would be, jitter aside. Changes nothing.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let n = params.n.unwrap_or(SHOWN);
        if !(1..=SHOWN_MAX).contains(&n) {
            let message = format!("`n` is 1 to {SHOWN_MAX}, not {n}");
            let refusal = Refusal::new(RefusalKind::Invalid, "schedule.preview_range", message);
            return Err(refusal.data(json!({ "field": "n" })));
        }
        let now = cx.engine.now();
        let (calendar, after) = match &params.schedule {
            Some(id) => of_schedule(&cx, id, &params, now)?,
            None => (of_times(params, now)?, now),
        };
        let mut due = Vec::new();
        let mut at = after;
        while let Some(next) = calendar.next(at).filter(|_| (due.len() as u64) < n) {
            due.push(next);
            at = next;
        }
        Ok(Output { due })
    }
}

/// The calendar of a schedule that is there. After a clock that was set back, nothing fires again
/// up to where it had come.
fn of_schedule(
    cx: &Context,
    id: &ScheduleId,
    params: &Params,
    now: Time,
) -> Result<(Calendar, Time), Refusal> {
    let given = [&params.cron, &params.every, &params.at, &params.timezone];
    if given.into_iter().any(Option::is_some) {
        let message = "`id` says all about the times of a schedule";
        let refusal = Refusal::new(RefusalKind::Invalid, "schedule.preview_ambiguous", message);
        return Err(refusal.hint("give either `id` or the times"));
    }
    let found = cx.engine.view(|world| {
        let found = world.state.schedules.get(id)?;
        Some((found.calendar()?, found.after.max(now)))
    });
    found.ok_or_else(|| schedule_missing(&cx.engine, id))
}

/// The calendar of times that are given: those of a schedule that begins now.
fn of_times(params: Params, now: Time) -> Result<Calendar, Refusal> {
    let Params {
        cron,
        every,
        at,
        timezone,
        ..
    } = params;
    let mut entry = Map::from_iter([
        ("id".to_owned(), json!("preview")),
        ("to".to_owned(), json!({ "member": "anybody" })),
        ("message".to_owned(), json!("-")),
    ]);
    let times = [
        ("cron", cron),
        ("every", every),
        ("at", at),
        ("timezone", timezone),
    ];
    for (key, text) in times {
        entry.extend(text.map(|text| (key.to_owned(), Value::String(text))));
    }
    let spec = schedule_of(&entry).map_err(|errors| EntryError::refusal(&errors))?;
    Calendar::of(&spec.trigger, &spec.timezone, now).map_err(|error| {
        Refusal::new(
            RefusalKind::Invalid,
            "schedule.times_invalid",
            error.to_string(),
        )
    })
}
