//! What the events of schedules and occurrences do to the state.

use super::{Occurrence, RemovedSchedule, Schedule, State};
use crate::event::{Event, Occasion, OccurrenceClaimed, ScheduleDefined, Started};
use crate::id::{ScheduleId, Seq};
use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};

/// How many due times are remembered of those that were run by hand.
const BY_HAND_MAX: usize = 1_000;
/// How many schedules are remembered of those that were removed, apart from those of which an
/// occurrence goes on.
const REMOVED_MAX: usize = 1_000;

impl State {
    /// An occurrence that has not ended, also one of a schedule that was removed.
    pub fn occurrence(&self, schedule: &ScheduleId, due: Time) -> Option<&Occurrence> {
        let kept = self.schedules.get(schedule).map(|found| &found.open);
        let removed = self
            .removed_schedules
            .get(schedule)
            .map(|found| &found.open);
        kept.or(removed)?.get(&due)
    }

    /// Folds an event in; `false`: it is none of these.
    pub(super) fn apply_schedule(&mut self, seq: Seq, now: Time, event: &Event) -> bool {
        match event {
            Event::ScheduleDefined(e) => self.schedule_defined(e),
            Event::SchedulePaused(e) => self.with_schedule(&e.schedule, |found| {
                (found.paused, found.next) = (true, None);
            }),
            Event::ScheduleResumed(e) => self.with_schedule(&e.schedule, |found| {
                found.paused = false;
                (found.after, found.next) = (found.after.max(e.after), e.next);
            }),
            Event::ScheduleRemoved(e) => self.schedule_removed(&e.schedule),
            Event::OccurrenceClaimed(e) => {
                self.with_schedule(&e.schedule, |found| found.claimed(e, seq, now));
            }
            Event::OccurrenceDispatched(e) => {
                let key = (e.schedule.clone(), e.due);
                match e.started {
                    Started::Message(id) => _ = self.occurrence_messages.insert(id, key),
                    Started::Call(id) => _ = self.occurrence_calls.insert(id, key),
                    Started::Delivery(id) => _ = self.occurrence_deliveries.insert(id, key),
                }
                self.with_occurrence(&e.schedule, e.due, |open| {
                    open.attempts = e.attempts;
                    (open.started, open.reason) = (Some(e.started), None);
                });
            }
            Event::OccurrenceCompleted(e) => self.occurrence_ended(&e.schedule, e.due),
            Event::OccurrenceFailed(e) => match e.retry_at {
                None => self.occurrence_ended(&e.schedule, e.due),
                Some(retry_at) => self.with_occurrence(&e.schedule, e.due, |open| {
                    open.attempts = e.attempts;
                    (open.not_before, open.reason) = (retry_at, Some(e.reason.clone()));
                }),
            },
            Event::OccurrenceSkipped(e) if e.after.is_none() => {
                self.occurrence_ended(&e.schedule, e.due);
            }
            Event::OccurrenceSkipped(e) => {
                self.with_schedule(&e.schedule, |found| found.moves_on(e.after, e.next));
            }
            Event::OccurrenceMissed(e) => {
                self.with_schedule(&e.schedule, |found| found.moves_on(e.after, e.next));
            }
            _ => return false,
        }
        true
    }

    /// Changes a schedule and keeps the index of dues exact.
    fn with_schedule(&mut self, id: &ScheduleId, change: impl FnOnce(&mut Schedule)) {
        let Some(found) = self.schedules.get_mut(id) else {
            return;
        };
        let before = found.wake();
        change(found);
        let after = found.wake();
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.schedule_dues.remove(&(before, id.clone()));
        }
        if let Some(after) = after {
            self.schedule_dues.insert((after, id.clone()));
        }
    }

    fn with_occurrence(
        &mut self,
        id: &ScheduleId,
        due: Time,
        change: impl FnOnce(&mut Occurrence),
    ) {
        self.with_schedule(id, |found| {
            if let Some(open) = found.open.get_mut(&due) {
                change(open);
            }
        });
    }

    fn schedule_defined(&mut self, e: &ScheduleDefined) {
        let removed = self.removed_schedules.remove(&e.schedule);
        if !self.schedules.contains_key(&e.schedule) {
            let fresh = Schedule {
                spec: e.spec.clone(),
                origin: e.origin.clone(),
                anchor: e.anchor,
                after: removed.as_ref().map_or(e.after, |found| found.after),
                next: None,
                paused: false,
                open: removed.map_or_else(BTreeMap::new, |found| found.open),
                by_hand: BTreeSet::new(),
            };
            self.schedules.insert(e.schedule.clone(), fresh);
        }
        self.with_schedule(&e.schedule, |found| {
            found.spec = e.spec.clone();
            found.origin = e.origin.clone();
            found.anchor = e.anchor;
            (found.after, found.next) = (found.after.max(e.after), e.next);
        });
    }

    fn schedule_removed(&mut self, id: &ScheduleId) {
        let Some(found) = self.schedules.remove(id) else {
            return;
        };
        if let Some(due) = found.wake() {
            self.schedule_dues.remove(&(due, id.clone()));
        }
        let by_hand = found.by_hand.last().copied().unwrap_or(found.after);
        let removed = RemovedSchedule {
            after: found.after.max(by_hand),
            open: found.open,
        };
        self.removed_schedules.insert(id.clone(), removed);
        self.forget_removed();
    }

    /// Forgets removed schedules whose last due time is the longest ago: one that is defined again
    /// does not fire for the past anyway, unless the clock was set back all that time.
    fn forget_removed(&mut self) {
        while self.removed_schedules.len() > REMOVED_MAX {
            let removed = self.removed_schedules.iter();
            let over = removed.filter(|(_, found)| found.open.is_empty());
            let Some((id, _)) = over.min_by_key(|(_, found)| found.after) else {
                return;
            };
            let id = id.clone();
            self.removed_schedules.remove(&id);
        }
    }

    fn occurrence_ended(&mut self, id: &ScheduleId, due: Time) {
        let mut ended = None;
        self.with_schedule(id, |found| ended = found.open.remove(&due));
        if let Some(removed) = self.removed_schedules.get_mut(id) {
            ended = ended.or_else(|| removed.open.remove(&due));
        }
        match ended.and_then(|ended| ended.started) {
            Some(Started::Message(message)) => _ = self.occurrence_messages.remove(&message),
            Some(Started::Call(call)) => _ = self.occurrence_calls.remove(&call),
            Some(Started::Delivery(id)) => _ = self.occurrence_deliveries.remove(&id),
            None => {}
        }
    }
}

impl Schedule {
    /// The timer has looked at due times up to `after`.
    fn moves_on(&mut self, after: Option<Time>, next: Option<Time>) {
        if let Some(after) = after {
            self.after = self.after.max(after);
            self.next = next;
        }
    }

    fn claimed(&mut self, e: &OccurrenceClaimed, seq: Seq, now: Time) {
        self.moves_on(e.after, e.next);
        let by_hand = match e.occasion {
            Occasion::Triggered | Occasion::Backfilled => true,
            Occasion::Due | Occasion::MadeUp | Occasion::Host => false,
        };
        if by_hand {
            self.by_hand.insert(e.due);
            if self.by_hand.len() > BY_HAND_MAX {
                self.by_hand.pop_first();
            }
        }
        let open = Occurrence {
            claim: seq,
            occasion: e.occasion,
            claimed: now,
            attempts: 0,
            started: None,
            not_before: now,
            reason: None,
        };
        self.open.insert(e.due, open);
    }
}
