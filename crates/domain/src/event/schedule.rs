//! Events of schedules and their occurrences.

use crate::definition::Schedule;
use crate::id::{CallId, DeliveryId, MemberId, MessageId, ScheduleId, TurnId};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who wants a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleOrigin {
    /// The mob file.
    File,
    /// A caller of the API.
    Api,
    /// A member, with a tool.
    Member(MemberId),
    /// A host that owns time and asks for each tick itself: the runtime's timer leaves it alone.
    Host,
}

/// A schedule is new, or changed. Its history and its anchor stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScheduleDefined {
    /// The schedule.
    pub schedule: ScheduleId,
    /// All of it.
    pub spec: Schedule,
    /// Who wants it.
    pub origin: ScheduleOrigin,
    /// From when intervals count.
    pub anchor: Time,
    /// Only due times after this one fire: a schedule never fires for the time before it was there.
    pub after: Time,
    /// When it fires next, jitter included; absent: never again, or not by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Time>,
}

/// A schedule fires no longer, until it is resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchedulePaused {
    /// The schedule.
    pub schedule: ScheduleId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A paused schedule fires again, from here on; what was due in between is not made up for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleResumed {
    /// The schedule.
    pub schedule: ScheduleId,
    /// Only due times after this one fire.
    pub after: Time,
    /// When it fires next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Time>,
}

/// A schedule is forgotten; what it started goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleRemoved {
    /// The schedule.
    pub schedule: ScheduleId,
    /// Why.
    pub reason: String,
}

/// Why there is an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// It was due.
    Due,
    /// It was missed, and the policy makes up for it.
    MadeUp,
    /// Somebody triggered it.
    Triggered,
    /// Somebody had the past made up for.
    Backfilled,
    /// A host that owns time asked for it.
    Host,
}

/// An occurrence is this process's to run. There is one such event at most for each schedule and
/// due time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OccurrenceClaimed {
    /// The schedule.
    pub schedule: ScheduleId,
    /// Its due time, jitter aside.
    pub due: Time,
    /// Why there is one.
    pub occasion: Occasion,
    /// The last due time that was looked at, where the timer moved on with this event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Time>,
    /// When the schedule fires next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Time>,
}

/// What an occurrence started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Started {
    /// A message to a member, which gets its turn.
    Message(MessageId),
    /// A call of a module's tool.
    Call(CallId),
    /// A delivery.
    Delivery(DeliveryId),
}

/// An occurrence started its work: exactly once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OccurrenceDispatched {
    /// The schedule.
    pub schedule: ScheduleId,
    /// Its due time.
    pub due: Time,
    /// What was started.
    pub started: Started,
    /// Attempts until it could be started, this one included.
    pub attempts: u32,
}

/// What an occurrence started has ended well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OccurrenceCompleted {
    /// The schedule.
    pub schedule: ScheduleId,
    /// Its due time.
    pub due: Time,
    /// The turn, where it started one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
}

/// An occurrence could not be started, or what it started has failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OccurrenceFailed {
    /// The schedule.
    pub schedule: ScheduleId,
    /// Its due time.
    pub due: Time,
    /// Why.
    pub reason: String,
    /// Attempts to start it so far.
    pub attempts: u32,
    /// When it is tried again; absent: it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Time>,
    /// The turn, where it started one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
}

/// An occurrence was not run, as its policy says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OccurrenceSkipped {
    /// The schedule.
    pub schedule: ScheduleId,
    /// Its due time.
    pub due: Time,
    /// Why.
    pub reason: String,
    /// The last due time that was looked at; there exactly where the occurrence was never claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Time>,
    /// When the schedule fires next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Time>,
}

/// Due times in a row passed without being run: the process was away, or the mob was paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OccurrenceMissed {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The first of them.
    pub due: Time,
    /// The last of them.
    pub until: Time,
    /// How many; at least so many where they were not counted to the end.
    pub count: u64,
    /// Whether `count` is all of them.
    pub counted: bool,
    /// Why they are not made up for.
    pub reason: String,
    /// The last due time that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Time>,
    /// When the schedule fires next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Time>,
}
