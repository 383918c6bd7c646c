//! One line for a person about schedules and occurrences, and which schedule an event is about.

use super::{Event, Occasion, Started};
use crate::id::ScheduleId;

impl Event {
    /// The schedule that the event is about, if it is about one.
    pub fn schedule(&self) -> Option<&ScheduleId> {
        Some(match self {
            Self::ScheduleDefined(e) => &e.schedule,
            Self::SchedulePaused(e) => &e.schedule,
            Self::ScheduleResumed(e) => &e.schedule,
            Self::ScheduleRemoved(e) => &e.schedule,
            Self::OccurrenceClaimed(e) => &e.schedule,
            Self::OccurrenceDispatched(e) => &e.schedule,
            Self::OccurrenceCompleted(e) => &e.schedule,
            Self::OccurrenceFailed(e) => &e.schedule,
            Self::OccurrenceSkipped(e) => &e.schedule,
            Self::OccurrenceMissed(e) => &e.schedule,
            _ => return None,
        })
    }

    pub(super) fn summary_of_schedule(&self) -> Option<String> {
        Some(match self {
            Self::ScheduleDefined(e) => match e.next {
                Some(next) => format!("schedule {} defined, next at {next}", e.schedule),
                None => format!("schedule {} defined, not to fire by itself", e.schedule),
            },
            Self::SchedulePaused(e) => match &e.reason {
                Some(reason) => format!("schedule {} paused: {reason}", e.schedule),
                None => format!("schedule {} paused", e.schedule),
            },
            Self::ScheduleResumed(e) => format!("schedule {} resumed", e.schedule),
            Self::ScheduleRemoved(e) => format!("schedule {} removed: {}", e.schedule, e.reason),
            Self::OccurrenceClaimed(e) => {
                let why = match e.occasion {
                    Occasion::Due => "is due",
                    Occasion::MadeUp => "was missed and is made up for",
                    Occasion::Triggered => "was triggered",
                    Occasion::Backfilled => "is made up for by hand",
                    Occasion::Host => "is due by the host's time",
                };
                format!("{} {why} ({})", e.schedule, e.due)
            }
            Self::OccurrenceDispatched(e) => {
                let what = match e.started {
                    Started::Message(message) => message.to_string(),
                    Started::Call(call) => call.to_string(),
                    Started::Delivery(delivery) => delivery.to_string(),
                };
                format!("{} of {} started {what}", e.schedule, e.due)
            }
            Self::OccurrenceCompleted(e) => format!("{} of {} completed", e.schedule, e.due),
            Self::OccurrenceFailed(e) => match e.retry_at {
                Some(at) => format!(
                    "{} of {} is tried again at {at}: {}",
                    e.schedule, e.due, e.reason
                ),
                None => format!("{} of {} failed: {}", e.schedule, e.due, e.reason),
            },
            Self::OccurrenceSkipped(e) => {
                format!("{} of {} skipped: {}", e.schedule, e.due, e.reason)
            }
            Self::OccurrenceMissed(e) => {
                let least = if e.counted { "" } else { "at least " };
                format!(
                    "{} missed {least}{} from {} to {}: {}",
                    e.schedule, e.count, e.due, e.until, e.reason
                )
            }
            _ => return None,
        })
    }
}
