//! `schedule/backfill`.

use crate::access::Permission;
use crate::context::{Context, store_refusal};
use crate::operation::{Define, Keys};
use crate::page;
use crate::schedule_view::schedule_missing;
use mobkit_domain::command::{Command, ScheduleCommand};
use mobkit_domain::id::{ScheduleId, Seq};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::row::{OccurrenceState, Row, Table};
use mobkit_domain::schedule::Calendar;
use mobkit_domain::time::Time;
use mobkit_store::RowQuery;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;

/// How many due times a stretch has at most.
const LOOKED_AT_MAX: usize = 10_000;
/// Rows that are read at a time.
const PAGE_ROWS: usize = 1_000;

pub(in crate::operations) struct Backfill;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The schedule.
    #[serde(alias = "id")]
    schedule: ScheduleId,
    /// The first time of the stretch.
    from: Time,
    /// Its last time, not in the future.
    to: Time,
    /// How many due times are run at most.
    limit: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The schedule.
    schedule: ScheduleId,
    /// The due times that are run, oldest first.
    dues: Vec<Time>,
    /// Whether the stretch has more than `limit`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more: bool,
    /// Position of the first event; of the head where nothing is run.
    seq: Seq,
}

impl Define for Backfill {
    const NAME: &'static str = "schedule/backfill";
    const DOC: &'static str = "Runs what a schedule was due for in a stretch of the past and did \
                               not run, oldest first.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    // Which due times are run depends on those that were, so a repetition must find the answer.
    const KEYS: Keys = Keys::Process;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let limit = page::limit(params.limit)?;
        let Params {
            schedule, from, to, ..
        } = params;
        check(from, to, cx.engine.now())?;
        let calendar = cx.engine.view(|world| {
            let found = world.state.schedules.get(&schedule)?;
            found.calendar()
        });
        let calendar = calendar.ok_or_else(|| schedule_missing(&cx.engine, &schedule))?;
        let mut dues = dues(&calendar, from, to)?;
        let claimed = claimed(&cx, &schedule, from).await?;
        dues.retain(|due| !claimed.contains(due));
        let more = dues.len() > limit;
        dues.truncate(limit);
        let seq = if dues.is_empty() {
            cx.engine.head()
        } else {
            let command = ScheduleCommand::Backfill {
                schedule: schedule.clone(),
                dues: dues.clone(),
            };
            cx.submit(Command::Schedule(command)).await?.seq()
        };
        Ok(Output {
            schedule,
            dues,
            more,
            seq,
        })
    }
}

fn invalid(code: &str, field: &str, message: String) -> Refusal {
    Refusal::new(RefusalKind::Invalid, code, message).data(json!({ "field": field }))
}

fn check(from: Time, to: Time, now: Time) -> Result<(), Refusal> {
    if to > now {
        let message = format!("`to` is {to}, which is still to come");
        return Err(
            invalid("schedule.not_past", "to", message).hint("only the past is made up for")
        );
    }
    if from > to {
        let message = format!("`from` is {from}, after `to`, which is {to}");
        return Err(invalid("schedule.stretch_empty", "from", message));
    }
    Ok(())
}

/// The due times from `from` to `to`, both included.
fn dues(calendar: &Calendar, from: Time, to: Time) -> Result<Vec<Time>, Refusal> {
    let mut dues = Vec::new();
    let mut at = Time(from.0.saturating_sub(1));
    while let Some(due) = calendar.next(at).filter(|due| *due <= to) {
        if dues.len() == LOOKED_AT_MAX {
            let message = format!("the stretch has more than {LOOKED_AT_MAX} due times");
            let refusal = invalid("schedule.stretch_too_long", "from", message);
            return Err(refusal.hint("take a shorter one, then the next"));
        }
        dues.push(due);
        at = due;
    }
    Ok(dues)
}

/// Due times since `from` that have an occurrence. Those that were missed were not run.
async fn claimed(
    cx: &Context,
    schedule: &ScheduleId,
    from: Time,
) -> Result<BTreeSet<Time>, Refusal> {
    let mut claimed = BTreeSet::new();
    let mut before = 0;
    loop {
        let query = RowQuery {
            table: Table::Occurrence,
            owner: Some(schedule.to_string()),
            state: None,
            before,
            limit: PAGE_ROWS,
        };
        let page = cx.engine.store().rows(cx.engine.mob(), query).await;
        let page = page.map_err(|error| store_refusal(&error))?;
        let mut recent = false;
        for row in page.rows {
            let Row::Occurrence(row) = row else { continue };
            // None is claimed before it is due, so older pages hold nothing of the stretch.
            recent |= row.at >= from;
            if row.state != OccurrenceState::Missed {
                claimed.insert(row.due);
            }
        }
        match page.next_before.filter(|_| recent) {
            Some(next) => before = next,
            None => return Ok(claimed),
        }
    }
}
