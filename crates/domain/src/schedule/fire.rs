//! What is due is claimed and started, and what could not be started is tried again.

use super::dispatch::{attempt, fresh};
use super::due::{Due, Look, MADE_UP_MAX};
use super::end::{cancel_open, still_open};
use super::put::next_of;
use super::retry::Attempt;
use crate::definition::{MissedPolicy, Overlap};
use crate::draft::Draft;
use crate::event::{
    Occasion, OccurrenceClaimed, OccurrenceMissed, OccurrenceSkipped, ScheduleDefined,
};
use crate::id::ScheduleId;
use crate::state::Schedule;
use crate::time::Time;

/// After how many events a look ends; the schedules that are left follow at once in the next.
const EVENTS_PER_LOOK_MAX: u64 = 3_000;
/// How many occurrences of a schedule whose `overlap` is `queue` wait for an earlier one at most.
/// Those of the past that are made up for have a bound of their own.
pub(super) const QUEUED_MAX: usize = 100;

/// Claims and starts what is due, and tries again what could not be started, what is due the
/// longest first. Every schedule that is looked at is used up: its next time lies ahead after that.
pub(crate) fn due(draft: &mut Draft<'_>) {
    let (state, now) = (draft.state(), draft.now);
    let dues = state.schedule_dues.iter().take_while(|(at, _)| *at <= now);
    for (_, id) in dues {
        if draft.next_seq() > state.head + EVENTS_PER_LOOK_MAX {
            return;
        }
        let Some(schedule) = state.schedules.get(id) else {
            continue;
        };
        start_waiting(draft, id, schedule);
        if schedule.is_active() && schedule.next.is_some_and(|next| next <= now) {
            fire(draft, id, schedule);
        }
    }
}

/// Tries the occurrences that wait and whose time has come.
fn start_waiting(draft: &mut Draft<'_>, id: &ScheduleId, schedule: &Schedule) {
    for (due, open) in schedule.startable() {
        if open.not_before > draft.now || draft.has_ended_occurrence(id, due) {
            continue;
        }
        let waiting = Attempt {
            due,
            claim: open.claim,
            occasion: open.occasion,
            claimed: open.claimed,
            before: open.attempts,
        };
        attempt(draft, &schedule.spec, &waiting);
    }
}

/// Looks at a schedule whose next time has come.
fn fire(draft: &mut Draft<'_>, id: &ScheduleId, schedule: &Schedule) {
    let Some(calendar) = schedule.calendar() else {
        return reckon(draft, schedule, None);
    };
    let look = Look {
        id,
        jitter_ms: schedule.spec.jitter_ms,
        missed: schedule.spec.missed,
        after: schedule.after,
        since: draft.state().line_since,
        now: draft.now,
    };
    let due = look.due(&calendar);
    let after = due.upto.unwrap_or(schedule.after);
    let next = next_of(&schedule.spec, &calendar, after);
    if due.upto.is_none() {
        // The next time was reckoned by other rules of the zone than those of now.
        return reckon(draft, schedule, next);
    }
    let run = Run {
        id,
        schedule,
        next,
        host: false,
    };
    run.carry_out(draft, &due);
}

/// Only the next time of the schedule is another.
fn reckon(draft: &mut Draft<'_>, schedule: &Schedule, next: Option<Time>) {
    draft.emit(ScheduleDefined {
        schedule: schedule.spec.id.clone(),
        spec: schedule.spec.clone(),
        origin: schedule.origin.clone(),
        anchor: schedule.anchor,
        after: schedule.after,
        next,
    });
}

/// Due times of a schedule that are run or dropped.
pub(super) struct Run<'s> {
    pub id: &'s ScheduleId,
    pub schedule: &'s Schedule,
    /// When it fires next after that.
    pub next: Option<Time>,
    /// Whether a host asks.
    pub host: bool,
}

impl Run<'_> {
    /// Records what is dropped, and claims and starts what is run.
    pub fn carry_out(&self, draft: &mut Draft<'_>, look: &Due) {
        for dropped in &look.dropped {
            draft.emit(OccurrenceMissed {
                schedule: self.id.clone(),
                due: dropped.first,
                until: dropped.last,
                count: dropped.count,
                counted: dropped.counted,
                reason: dropped.reason.to_owned(),
                after: Some(dropped.last),
                next: self.next,
            });
        }
        let mut standing = still_open(draft, self.id, self.schedule);
        let last = look.run.last().copied();
        for (due, made_up) in &look.run {
            let known = self.schedule.open.contains_key(due);
            if known || self.schedule.by_hand.contains(due) {
                self.skip(draft, *due, "it was run by hand already");
                continue;
            }
            match self.schedule.spec.overlap {
                Overlap::Cancel
                    if last.is_some_and(|last| self.gives_way(*due, *made_up, last)) =>
                {
                    self.skip(draft, *due, "a later occurrence takes its place at once");
                }
                Overlap::Skip | Overlap::Queue | Overlap::Cancel if self.in_line(*made_up) => {
                    if standing.waiting() >= MADE_UP_MAX {
                        self.skip(draft, *due, "too many occurrences wait already");
                    } else if standing.open > 0 {
                        self.claim(draft, *due, *made_up);
                        (standing.open, standing.made_up) =
                            (standing.open + 1, standing.made_up + 1);
                    } else {
                        standing.open += usize::from(self.start(draft, *due, *made_up));
                    }
                }
                Overlap::Skip if standing.open > 0 => {
                    self.skip(draft, *due, "the occurrence before it has not ended");
                }
                Overlap::Queue if standing.open > 0 && standing.queued >= QUEUED_MAX => {
                    self.skip(draft, *due, "too many occurrences wait already");
                }
                Overlap::Queue if standing.open > 0 => {
                    self.claim(draft, *due, *made_up);
                    (standing.open, standing.queued) = (standing.open + 1, standing.queued + 1);
                }
                Overlap::Cancel => {
                    cancel_open(draft, self.id, self.schedule);
                    self.start(draft, *due, *made_up);
                }
                Overlap::Skip | Overlap::Queue | Overlap::Allow => {
                    standing.open += usize::from(self.start(draft, *due, *made_up));
                }
            }
        }
    }

    /// Whether an occurrence waits until those before it have ended, whatever the overlap says:
    /// where each missed one is made up for, none is dropped because they all come at once.
    fn in_line(&self, made_up: bool) -> bool {
        made_up && self.schedule.spec.missed.policy == MissedPolicy::All
    }

    /// Whether the last one of this look cancels this one before it could begin.
    fn gives_way(&self, due: Time, made_up: bool, (last, last_made_up): (Time, bool)) -> bool {
        let after_all = self.in_line(made_up) && self.in_line(last_made_up);
        due != last && !after_all
    }

    /// Claims and starts an occurrence; whether it is open after that.
    fn start(&self, draft: &mut Draft<'_>, due: Time, made_up: bool) -> bool {
        let claim = self.claim(draft, due, made_up);
        let begun = fresh(due, claim, self.occasion(made_up), draft.now);
        attempt(draft, &self.schedule.spec, &begun)
    }

    fn occasion(&self, made_up: bool) -> Occasion {
        match (self.host, made_up) {
            (true, _) => Occasion::Host,
            (false, true) => Occasion::MadeUp,
            (false, false) => Occasion::Due,
        }
    }

    fn claim(&self, draft: &mut Draft<'_>, due: Time, made_up: bool) -> u64 {
        draft.emit(OccurrenceClaimed {
            schedule: self.id.clone(),
            due,
            occasion: self.occasion(made_up),
            after: Some(due),
            next: self.next,
        })
    }

    fn skip(&self, draft: &mut Draft<'_>, due: Time, reason: &str) {
        draft.emit(OccurrenceSkipped {
            schedule: self.id.clone(),
            due,
            reason: reason.to_owned(),
            after: Some(due),
            next: self.next,
        });
    }
}
