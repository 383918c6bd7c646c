//! When a trigger is due: next and previous, computed field by field and never by scanning time.
//!
//! Cron and one-shot times are read on the wall clock of the schedule's zone. Each wall-clock time
//! fires once: one that the clock skips fires at the instant at which the clock goes on, and one
//! that the clock shows twice fires the first time. So the instants of wall-clock times never run
//! backwards, which is what the search below rests on.

use crate::definition::{Trigger, parse_cron};
use crate::time::Time;
use croner::Cron;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

/// Why a trigger has no calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The cron expression is none.
    #[error("{expression:?} is not a cron expression: {problem}")]
    Cron {
        /// The expression.
        expression: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No zone has this name.
    #[error("there is no time zone {0:?}")]
    Zone(String),
}

/// The due times of a trigger.
#[derive(Debug, Clone)]
pub enum Calendar {
    /// Those of a cron expression on the wall clock of a zone.
    Cron {
        /// The expression.
        cron: Box<Cron>,
        /// The zone.
        zone: TimeZone,
    },
    /// Every so many milliseconds after the anchor, which itself is no due time.
    Every {
        /// The interval; at least 1.
        ms: u64,
        /// The anchor.
        anchor: Time,
    },
    /// One.
    Once(Time),
}

impl Calendar {
    /// The calendar of a trigger. `anchor` is when an interval began to count.
    pub fn of(trigger: &Trigger, timezone: &str, anchor: Time) -> Result<Self, CalendarError> {
        match trigger {
            Trigger::Cron(expression) => {
                let cron = parse_cron(expression).map_err(|problem| CalendarError::Cron {
                    expression: expression.clone(),
                    problem,
                })?;
                let (cron, zone) = (Box::new(cron), zone(timezone)?);
                Ok(Self::Cron { cron, zone })
            }
            Trigger::EveryMs(ms) => Ok(Self::Every {
                ms: (*ms).max(1),
                anchor,
            }),
            Trigger::At(time) => Ok(Self::Once(instant(&zone(timezone)?, *time))),
        }
    }

    /// The first due time after `after`; `None`: there is none any more.
    pub fn next(&self, after: Time) -> Option<Time> {
        match self {
            Self::Cron { cron, zone } => next_of_cron(cron, zone, after),
            Self::Every { ms, anchor } => {
                let passed = after.since_ms(*anchor) / ms;
                let due = anchor.plus_ms(passed.checked_add(1)?.checked_mul(*ms)?);
                (due > after).then_some(due)
            }
            Self::Once(due) => (*due > after).then_some(*due),
        }
    }

    /// The last due time up to `upto`, that one included; `None`: there was none.
    pub fn previous(&self, upto: Time) -> Option<Time> {
        match self {
            Self::Cron { cron, zone } => previous_of_cron(cron, zone, upto),
            Self::Every { ms, anchor } => {
                let passed = upto.since_ms(*anchor) / ms;
                (passed > 0).then(|| anchor.plus_ms(passed * ms))
            }
            Self::Once(due) => (*due <= upto).then_some(*due),
        }
    }
}

/// The zone of an IANA name, from the bundled database, so that it is the same on every machine.
fn zone(name: &str) -> Result<TimeZone, CalendarError> {
    let found = TimeZoneDatabase::bundled().get(name);
    found.map_err(|_| CalendarError::Zone(name.to_owned()))
}

/// The instant of a wall-clock time. Past the range of the calendar it is the end of that.
fn instant(zone: &TimeZone, wall: DateTime) -> Time {
    let ambiguous = zone.to_ambiguous_timestamp(wall);
    let offset = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Fold { before, .. } => before,
        // Both readings of a skipped time lie beside the gap, the one with the offset before it
        // after the gap: the transition is the last one at or before that.
        AmbiguousOffset::Gap { before, .. } => {
            let beyond = before.to_timestamp(wall);
            let transition = beyond
                .ok()
                .and_then(|at| begun(zone, at))
                .map(|at| Time(at.as_millisecond()));
            return transition.unwrap_or(Time(Timestamp::MAX.as_millisecond()));
        }
    };
    let at = offset.to_timestamp(wall).unwrap_or(Timestamp::MAX);
    Time(at.as_millisecond())
}

/// The last transition of the zone at or before `at`.
fn begun(zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
    let just_after = at.checked_add(jiff::Span::new().nanoseconds(1)).ok()?;
    zone.preceding(just_after).next().map(|t| t.timestamp())
}

/// The wall-clock time of an instant, to the second.
fn wall(zone: &TimeZone, at: Timestamp) -> Option<DateTime> {
    zone.to_datetime(at)
        .with()
        .subsec_nanosecond(0)
        .build()
        .ok()
}

fn next_of_cron(cron: &Cron, zone: &TimeZone, after: Time) -> Option<Time> {
    let at = Timestamp::from_millisecond(after.0).ok()?;
    let mut from = wall(zone, at)?;
    loop {
        from = cron.find_next_occurrence(&from, false).ok()?;
        let due = instant(zone, from);
        if due > after {
            return Some(due);
        }
        // The clock shows this time again, or skipped it: the instant has passed.
    }
}

fn previous_of_cron(cron: &Cron, zone: &TimeZone, upto: Time) -> Option<Time> {
    let at = Timestamp::from_millisecond(upto.0).ok()?;
    let mut from = wall(zone, at)?;
    if let AmbiguousOffset::Fold { before, after } = zone.to_ambiguous_timestamp(from).offset()
        && zone.to_offset(at) == after
    {
        // The clock was set back: it has shown later times than now already.
        let transition = begun(zone, at)?;
        from = before.to_datetime(transition);
    }
    let mut inclusive = true;
    loop {
        from = cron.find_previous_occurrence(&from, inclusive).ok()?;
        let due = instant(zone, from);
        if due <= upto {
            return Some(due);
        }
        inclusive = false;
    }
}

#[cfg(test)]
mod tests;
