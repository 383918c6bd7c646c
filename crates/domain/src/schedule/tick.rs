//! A host that owns time asks what is due.

use super::check::check_but_target;
use super::due::{Dropped, Due, LATE_MS_MAX, Look};
use super::fire::Run;
use super::put::define;
use crate::definition::{self, MissedPolicy};
use crate::draft::Draft;
use crate::event::ScheduleOrigin;
use crate::principal::Principal;
use crate::refusal::{Refusal, RefusalKind};
use crate::state::Schedule;
use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};

/// How many schedules a host asks for at once at most.
const SCHEDULES_PER_TICK_MAX: usize = 1_000;

fn invalid(code: &str, message: String) -> Refusal {
    Refusal::new(RefusalKind::Invalid, code, message)
}

/// Runs what is due of a host's schedules at the host's time: of each the latest due time that has
/// no claim, or all of them where its policy makes up for all.
pub(super) fn tick(
    draft: &mut Draft<'_>,
    schedules: &[definition::Schedule],
    tick: Time,
) -> Result<(), Refusal> {
    permit(draft, schedules)?;
    for spec in schedules {
        let old = draft.state().schedules.get(&spec.id);
        if old.is_none_or(|old| old.spec != *spec) {
            define(draft, spec, ScheduleOrigin::Host, (tick, begin(tick)))?;
        }
        let known = match old {
            Some(old) => Schedule {
                spec: spec.clone(),
                ..old.clone()
            },
            None => first_seen(draft, spec, tick),
        };
        if spec.enabled && !known.paused {
            look(draft, &known, tick);
        }
    }
    Ok(())
}

fn permit(draft: &Draft<'_>, schedules: &[definition::Schedule]) -> Result<(), Refusal> {
    if let Principal::Agent(member) = &draft.actor {
        let message = format!("{member} is an agent; only a host program owns time");
        let code = "schedule.not_yours";
        return Err(Refusal::new(RefusalKind::Denied, code, message));
    }
    if !draft.state().line_runs() {
        let message = "the mob is paused, or does not run: nothing is started";
        let code = "schedule.line_stopped";
        return Err(Refusal::new(RefusalKind::Unavailable, code, message)
            .hint("`mob/resume` lets it go on"));
    }
    if schedules.len() > SCHEDULES_PER_TICK_MAX {
        let (given, max) = (schedules.len(), SCHEDULES_PER_TICK_MAX);
        let message = format!("{given} schedules are too many for one tick; it takes {max}");
        return Err(invalid("schedule.tick_too_large", message));
    }
    let mut ids = BTreeSet::new();
    for spec in schedules {
        if !ids.insert(&spec.id) {
            let message = format!("the schedule {} is given twice", spec.id);
            return Err(invalid("schedule.duplicate", message));
        }
        let mut defined = draft.world.definition.schedules.iter();
        let found = draft.state().schedules.get(&spec.id);
        let taken = found.is_some_and(|found| found.origin != ScheduleOrigin::Host)
            || defined.any(|defined| defined.id == spec.id);
        if taken {
            let message = format!("the schedule {} is the mob's own, not a host's", spec.id);
            let code = "schedule.not_hosts";
            return Err(Refusal::new(RefusalKind::Conflict, code, message)
                .hint("give the schedule of the host another id"));
        }
        // A target that is gone fails its own occurrence, and not the rest of the tick.
        check_but_target(spec, draft.now)?;
    }
    Ok(())
}

/// A schedule that no tick has named before: it is due for the time around the tick and never for
/// the time before, nor for what an earlier one of its name has claimed.
fn first_seen(draft: &Draft<'_>, spec: &definition::Schedule, tick: Time) -> Schedule {
    let removed = draft.state().removed_schedules.get(&spec.id);
    let begin = begin(tick);
    Schedule {
        spec: spec.clone(),
        origin: ScheduleOrigin::Host,
        anchor: tick,
        after: removed.map_or(begin, |removed| removed.after.max(begin)),
        next: None,
        paused: false,
        open: removed.map_or_else(BTreeMap::new, |removed| removed.open.clone()),
        by_hand: BTreeSet::new(),
    }
}

/// Up to when a schedule that no tick has named before is not due.
fn begin(tick: Time) -> Time {
    let late = i64::try_from(LATE_MS_MAX).unwrap_or(0);
    Time(tick.0.saturating_sub(late).saturating_sub(1))
}

fn look(draft: &mut Draft<'_>, schedule: &Schedule, tick: Time) {
    let Some(calendar) = schedule.calendar() else {
        return;
    };
    let spec = &schedule.spec;
    let look = Look {
        id: &spec.id,
        jitter_ms: spec.jitter_ms,
        missed: spec.missed,
        after: schedule.after,
        since: schedule.after,
        now: tick,
    };
    let mut due = look.due(&calendar);
    if spec.missed.policy != MissedPolicy::All {
        only_latest(&mut due);
    }
    let run = Run {
        id: &spec.id,
        schedule,
        next: None,
        host: true,
    };
    run.carry_out(draft, &due);
}

/// Of several due times the latest is run.
fn only_latest(due: &mut Due) {
    let Some(latest) = due.run.pop() else {
        return;
    };
    for (time, _) in std::mem::replace(&mut due.run, vec![latest]) {
        due.dropped.push(Dropped {
            first: time,
            last: time,
            count: 1,
            counted: true,
            reason: "a later one was due at the same tick",
        });
    }
}
