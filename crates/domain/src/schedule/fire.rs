//! What is due is claimed and started, and what could not be started is tried again.

use super::dispatch::{attempt, fresh};
use super::due::{Due, Look};
use super::end::{cancel_open, still_open};
use super::put::next_of;
use super::retry::Attempt;
use crate::definition::Overlap;
use crate::draft::Draft;
use crate::event::{
    Occasion, OccurrenceClaimed, OccurrenceMissed, OccurrenceSkipped, ScheduleDefined,
};
use crate::id::ScheduleId;
use crate::state::Schedule;
use crate::time::Time;
use std::collections::BTreeSet;

/// How many schedules one look is for at most; the others follow at once in the next.
const SCHEDULES_PER_LOOK_MAX: usize = 1_000;
/// How many occurrences of a schedule wait for an earlier one at most.
pub(super) const WAITING_MAX: usize = 100;

/// Claims and starts what is due, and tries again what could not be started. Everything that is
/// found due is used up: the schedule's next time lies ahead after that.
pub(crate) fn due(draft: &mut Draft<'_>) {
    let (state, now) = (draft.state(), draft.now);
    let dues = state.schedule_dues.iter().take_while(|(at, _)| *at <= now);
    let ids: BTreeSet<&ScheduleId> = dues
        .map(|(_, id)| id)
        .take(SCHEDULES_PER_LOOK_MAX)
        .collect();
    for id in ids {
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
        let (mut open, mut waiting) = still_open(draft, self.id, self.schedule);
        let last = look.run.last().map(|(due, _)| *due);
        for (due, made_up) in &look.run {
            let known = self.schedule.open.contains_key(due);
            if known || self.schedule.by_hand.contains(due) {
                self.skip(draft, *due, "it was run by hand already");
                continue;
            }
            match self.schedule.spec.overlap {
                Overlap::Skip if open > 0 => {
                    self.skip(draft, *due, "the occurrence before it has not ended");
                }
                Overlap::Queue if open > 0 && waiting >= WAITING_MAX => {
                    self.skip(draft, *due, "too many occurrences wait already");
                }
                Overlap::Queue if open > 0 => {
                    self.claim(draft, *due, *made_up);
                    (open, waiting) = (open + 1, waiting + 1);
                }
                Overlap::Cancel if last != Some(*due) => {
                    self.skip(draft, *due, "a later occurrence takes its place at once");
                }
                Overlap::Cancel => {
                    cancel_open(draft, self.id, self.schedule);
                    self.start(draft, *due, *made_up);
                }
                Overlap::Skip | Overlap::Queue | Overlap::Allow => {
                    open += usize::from(self.start(draft, *due, *made_up));
                }
            }
        }
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
