//! A schedule as clients see it.

use crate::suggestion::hint;
use mobkit_domain::definition::{self, Missed, MissedPolicy, Overlap, ScheduleTarget, Trigger};
use mobkit_domain::event::ScheduleOrigin;
use mobkit_domain::id::ScheduleId;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::state::Schedule;
use mobkit_domain::time::{Time, span_text};
use mobkit_engine::Engine;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// A schedule as it is at one moment, in the words of the mob file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ScheduleView {
    /// Its id.
    pub id: ScheduleId,
    /// When it is due, where a cron expression says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// Its interval, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<String>,
    /// Its one time, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The zone in which cron expressions and one-shot times are read.
    pub timezone: String,
    /// Most by which an occurrence is put off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<String>,
    /// What it starts.
    pub to: Value,
    /// Template of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What becomes of occurrences that fell into a downtime.
    pub missed: MissedView,
    /// What happens while the one before still runs.
    pub overlap: Overlap,
    /// Whether it fires.
    pub enabled: bool,
    /// Who wants it: `file`, `api`, `host`, or the member that made it.
    pub origin: ScheduleOrigin,
    /// Whether somebody paused it.
    pub paused: bool,
    /// When it fires next, jitter included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Time>,
    /// When it was due last since it is there, whether or not it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Time>,
    /// Occurrences that have not ended.
    pub open: usize,
}

/// What becomes of missed occurrences.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct MissedView {
    policy: MissedPolicy,
    within: String,
}

impl From<Missed> for MissedView {
    fn from(missed: Missed) -> Self {
        Self {
            policy: missed.policy,
            within: span_text(missed.within_ms),
        }
    }
}

impl ScheduleView {
    /// The schedule as it is `now`.
    pub fn of(schedule: &Schedule, now: Time) -> Self {
        let definition::Schedule {
            id,
            trigger,
            timezone,
            jitter_ms,
            to,
            message,
            missed,
            overlap,
            enabled,
        } = schedule.spec.clone();
        let (mut cron, mut every, mut at) = (None, None, None);
        match trigger {
            Trigger::Cron(expression) => cron = Some(expression),
            Trigger::EveryMs(ms) => every = Some(span_text(ms)),
            Trigger::At(time) => at = Some(time.to_string()),
        }
        Self {
            id,
            cron,
            every,
            at,
            timezone,
            jitter: (jitter_ms > 0).then(|| span_text(jitter_ms)),
            to: target(&to),
            message,
            missed: missed.into(),
            overlap,
            enabled,
            origin: schedule.origin.clone(),
            paused: schedule.paused,
            next: schedule.next.filter(|_| schedule.is_active()),
            previous: previous(schedule, now),
            open: schedule.open.len(),
        }
    }
}

fn target(to: &ScheduleTarget) -> Value {
    match to {
        ScheduleTarget::Member(member) => json!({ "member": member }),
        ScheduleTarget::Flow(flow) => json!({ "flow": flow }),
        ScheduleTarget::Module { module, tool } => json!({ "module": module, "tool": tool }),
        ScheduleTarget::Route(route) => json!({ "route": route }),
    }
}

fn previous(schedule: &Schedule, now: Time) -> Option<Time> {
    let due = schedule.calendar()?.previous(now)?;
    (due >= schedule.anchor).then_some(due)
}

/// The refusal for a schedule that does not exist.
pub(crate) fn schedule_missing(engine: &Engine, id: &ScheduleId) -> Refusal {
    let hint = engine.view(|world| {
        let names: Vec<&str> = world
            .state
            .schedules
            .keys()
            .map(ScheduleId::as_str)
            .collect();
        hint(id.as_str(), "schedules", &names)
    });
    let message = format!("there is no schedule {id}");
    Refusal::new(RefusalKind::Missing, "schedule.not_found", message).hint(hint)
}
