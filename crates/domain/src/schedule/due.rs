//! Which due times of a schedule are to be run now, and which are dropped: the one planner, used
//! for firing as well as for hosts that own time.

use super::calendar::Calendar;
use crate::canonical::sha256_hex;
use crate::definition::{Missed, MissedPolicy};
use crate::id::ScheduleId;
use crate::time::Time;

/// After this time an occurrence that did not run counts as missed, even if the process was there:
/// a machine that slept looks so.
pub const LATE_MS_MAX: u64 = 60_000;
/// How many due times of a downtime are counted one by one; of a longer one also those at its end,
/// as many as could be made up for.
pub const COUNTED_MAX: u64 = 10_000;
/// How many due times of a downtime are made up for at most.
pub const MADE_UP_MAX: usize = 1_000;

/// Due times in a row that are dropped for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The first.
    pub first: Time,
    /// The last.
    pub last: Time,
    /// How many; at least so many where they were not counted to the end.
    pub count: u64,
    /// Whether `count` is all of them.
    pub counted: bool,
    /// Why, one line.
    pub reason: &'static str,
}

/// What a look at a schedule leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// Due times to be run, oldest first, each with whether it is made up for.
    pub run: Vec<(Time, bool)>,
    /// Due times that are dropped, oldest first.
    pub dropped: Vec<Dropped>,
    /// The last due time that was looked at: the next look begins after it. `None`: none was.
    pub upto: Option<Time>,
}

/// When an occurrence fires: its due time and its share of the jitter, which is the same each time
/// that it is asked for.
pub fn fires(schedule: &ScheduleId, due: Time, jitter_ms: u64) -> Time {
    if jitter_ms == 0 {
        return due;
    }
    let digest = sha256_hex(format!("{schedule}:{}", due.0));
    let number = u64::from_str_radix(&digest[..15], 16).unwrap_or(0);
    due.plus_ms(number % (jitter_ms + 1))
}

/// How a schedule is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Look<'s> {
    /// The schedule.
    pub id: &'s ScheduleId,
    /// Most milliseconds by which an occurrence is put off.
    pub jitter_ms: u64,
    /// What becomes of missed occurrences.
    pub missed: Missed,
    /// Only due times after this one.
    pub after: Time,
    /// Since when due times can be kept: those before were missed.
    pub since: Time,
    /// The time of the look.
    pub now: Time,
}

impl Look<'_> {
    /// Looks which due times have fired by now.
    pub fn due(&self, calendar: &Calendar) -> Due {
        let mut due = Due::default();
        let mut late = Vec::new();
        let mut at = self.after;
        let mut cut = false;
        while let Some(next) = calendar.next(at) {
            let fires = fires(self.id, next, self.jitter_ms);
            if fires > self.now {
                break;
            }
            at = next;
            due.upto = Some(next);
            if fires <= self.since || self.now.since_ms(fires) > LATE_MS_MAX {
                late.push(next);
            } else {
                due.run.push((next, false));
            }
            if !cut && late.len() as u64 > COUNTED_MAX {
                // Of the rest of the downtime only the end is looked at one by one.
                let end = self.downtime_end(calendar, at);
                cut = end.len() > MADE_UP_MAX;
                if let Some(last) = end.last() {
                    at = *last;
                    due.upto = Some(at);
                    late.extend(end);
                }
            }
        }
        self.settle(&mut due, &late, cut);
        due
    }

    /// The last due times of a downtime after `at`, oldest first: all that could be made up for,
    /// and the one before them, up to which everything is dropped.
    fn downtime_end(&self, calendar: &Calendar, at: Time) -> Vec<Time> {
        let before = |time: Time, ms: u64| {
            Time(time.0.saturating_sub(i64::try_from(ms).unwrap_or(i64::MAX)))
        };
        let last = self.since.max(before(self.now, LATE_MS_MAX));
        // What has not fired yet, since it is put off, is not late.
        let last = calendar.previous(before(last, self.jitter_ms));
        let earlier = |due: &Time| calendar.previous(before(*due, 1));
        let end = std::iter::successors(last, earlier).take_while(|due| *due > at);
        let mut end: Vec<Time> = end.take(MADE_UP_MAX + 1).collect();
        end.reverse();
        end
    }

    /// Decides which of the late ones are made up for.
    fn settle(&self, due: &mut Due, late: &[Time], cut: bool) {
        let within = |time: &Time| self.now.since_ms(*time) <= self.missed.within_ms;
        let keep = match self.missed.policy {
            MissedPolicy::Skip => 0,
            MissedPolicy::Latest => 1,
            MissedPolicy::All => MADE_UP_MAX,
        };
        let fresh = late
            .iter()
            .rev()
            .take(keep)
            .filter(|time| within(time))
            .count();
        let (dropped, kept) = late.split_at(late.len() - fresh);
        let old = dropped.iter().filter(|time| !within(time)).count();
        let (old, passed) = dropped.split_at(old);
        let reason = match self.missed.policy {
            MissedPolicy::Skip => "missed, and missed ones are skipped",
            MissedPolicy::Latest => "missed, and only the latest one is made up for",
            MissedPolicy::All => "missed, and too many to be made up for",
        };
        let beyond = match self.missed.policy {
            MissedPolicy::Skip => reason,
            MissedPolicy::Latest | MissedPolicy::All => {
                "missed, and too long ago to be made up for"
            }
        };
        for (times, reason) in [(old, beyond), (passed, reason)] {
            let (Some(first), Some(last)) = (times.first(), times.last()) else {
                continue;
            };
            due.dropped.push(Dropped {
                first: *first,
                last: *last,
                count: times.len() as u64,
                counted: !cut,
                reason,
            });
        }
        let made_up = kept.iter().map(|time| (*time, true));
        due.run = made_up.chain(due.run.drain(..)).collect();
    }
}

#[cfg(test)]
mod tests;
