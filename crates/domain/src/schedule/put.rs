//! A schedule is defined, changed or forgotten.

use super::calendar::Calendar;
use super::check::{calendar, check};
use super::decide::{acted_on, check_owner, check_reach};
use super::due::{Look, fires};
use super::end::drop_waiting;
use crate::definition::{self, Missed, MissedPolicy, ScheduleTarget};
use crate::draft::Draft;
use crate::event::{OccurrenceMissed, ScheduleDefined, ScheduleOrigin, ScheduleRemoved};
use crate::id::ScheduleId;
use crate::principal::Principal;
use crate::refusal::{Refusal, RefusalKind};
use crate::state::Schedule;
use crate::time::Time;

/// How many schedules a mob has at most.
const SCHEDULES_MAX: usize = 10_000;
/// How many schedules a member makes at most.
const SCHEDULES_OF_MEMBER_MAX: usize = 100;

/// What a schedule needs so that it is what the mob file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// It is defined as the mob file says.
    Define,
    /// It is forgotten.
    Remove,
}

/// What a schedule needs so that it is what the mob file says, and why; `None`: nothing.
pub(crate) fn need(
    defined: Option<&definition::Schedule>,
    found: Option<&Schedule>,
) -> Option<(Need, &'static str)> {
    match (defined, found) {
        (None, Some(found)) if found.origin == ScheduleOrigin::File => {
            Some((Need::Remove, "the mob file no longer has it"))
        }
        (Some(_), None) => Some((Need::Define, "the mob file has it, and it is not there")),
        (Some(_), Some(found)) if found.origin != ScheduleOrigin::File => {
            Some((Need::Define, "the mob file has it now"))
        }
        (Some(defined), Some(found)) if *defined != found.spec => {
            Some((Need::Define, "its definition has changed"))
        }
        (None, _) | (Some(_), Some(_)) => None,
    }
}

/// When a schedule fires next after a due time, jitter included.
pub(super) fn next_of(
    spec: &definition::Schedule,
    calendar: &Calendar,
    after: Time,
) -> Option<Time> {
    let due = calendar.next(after)?;
    Some(fires(&spec.id, due, spec.jitter_ms))
}

/// Brings a schedule to what the definition in force says.
pub(super) fn converge(draft: &mut Draft<'_>, id: &ScheduleId) -> Result<(), Refusal> {
    let schedules = &draft.world.definition.schedules;
    let defined = schedules.iter().find(|schedule| schedule.id == *id);
    let found = draft.state().schedules.get_key_value(id);
    match (need(defined, found.map(|(_, found)| found)), defined, found) {
        (Some((Need::Define, _)), Some(defined), _) => {
            let now = draft.now;
            define(draft, defined, ScheduleOrigin::File, (now, now))?;
        }
        (Some((Need::Remove, why)), _, Some((id, found))) => forget(draft, id, found, why),
        // Only what is defined needs to be, and only what is there is forgotten.
        (Some((Need::Define, _)), None, _) | (Some((Need::Remove, _)), _, None) | (None, ..) => {}
    }
    Ok(())
}

/// Somebody defines a schedule, or changes one that is theirs to change.
pub(crate) fn put(draft: &mut Draft<'_>, spec: &definition::Schedule) -> Result<(), Refusal> {
    let found = draft.state().schedules.get(&spec.id);
    of_nobody_else(draft, &spec.id, found)?;
    let origin = match (found, &draft.actor) {
        (Some(found), _) => {
            check_owner(draft, &spec.id, &found.origin)?;
            found.origin.clone()
        }
        (None, Principal::Agent(member)) => ScheduleOrigin::Member(member.clone()),
        (None, Principal::Operator(_) | Principal::App(_) | Principal::Runtime) => {
            ScheduleOrigin::Api
        }
    };
    let member = match &spec.to {
        ScheduleTarget::Member(member) => Some(member),
        ScheduleTarget::Flow(_) | ScheduleTarget::Module { .. } | ScheduleTarget::Route(_) => None,
    };
    check_reach(draft, member)?;
    check(draft, spec)?;
    if found.is_none() {
        check_room(draft, &origin)?;
    }
    if found.is_none_or(|found| found.spec != *spec) {
        let now = draft.now;
        define(draft, spec, origin, (now, now))?;
    }
    Ok(())
}

/// Refuses to change what the mob file or a host defines.
fn of_nobody_else(
    draft: &Draft<'_>,
    id: &ScheduleId,
    found: Option<&Schedule>,
) -> Result<(), Refusal> {
    let mut schedules = draft.world.definition.schedules.iter();
    let in_file = schedules.any(|schedule| schedule.id == *id);
    let conflict = |code, message| Refusal::new(RefusalKind::Conflict, code, message);
    match found.map(|found| &found.origin) {
        Some(ScheduleOrigin::Host) => {
            let message = format!("the schedule {id} belongs to a host that owns time");
            Err(conflict("schedule.of_host", message).hint("change it in the host program"))
        }
        Some(ScheduleOrigin::File) => Err(of_file(id)),
        None | Some(ScheduleOrigin::Api | ScheduleOrigin::Member(_)) if in_file => Err(of_file(id)),
        None | Some(ScheduleOrigin::Api | ScheduleOrigin::Member(_)) => Ok(()),
    }
}

fn of_file(id: &ScheduleId) -> Refusal {
    let message = format!("the schedule {id} is defined by the mob file");
    Refusal::new(RefusalKind::Conflict, "schedule.of_file", message)
        .hint("change the mob file; `schedule/pause` stops it for a time")
}

fn check_room(draft: &Draft<'_>, origin: &ScheduleOrigin) -> Result<(), Refusal> {
    let schedules = &draft.state().schedules;
    let full = |max: usize, whose: String| {
        let message = format!("{whose} {max} schedules already, as many as it may");
        let refusal = Refusal::new(RefusalKind::Conflict, "schedule.too_many", message);
        Err(refusal.hint("remove some that are no longer needed"))
    };
    if let ScheduleOrigin::Member(member) = origin {
        let own = schedules.values().filter(|found| found.origin == *origin);
        if own.count() >= SCHEDULES_OF_MEMBER_MAX {
            return full(SCHEDULES_OF_MEMBER_MAX, format!("{member} has"));
        }
    }
    if schedules.len() >= SCHEDULES_MAX {
        return full(SCHEDULES_MAX, "the mob has".to_owned());
    }
    Ok(())
}

/// Puts a schedule into force. One that is new or enabled again, or whose times are others, never
/// fires for the time before; every other change keeps what is still to come. `fresh` is the anchor
/// of one that is new, and the time up to which it does not fire.
pub(super) fn define(
    draft: &mut Draft<'_>,
    spec: &definition::Schedule,
    origin: ScheduleOrigin,
    fresh: (Time, Time),
) -> Result<(), Refusal> {
    let (state, now) = (draft.state(), draft.now);
    let found = state.schedules.get_key_value(&spec.id);
    let (anchor, after) = match found {
        None => {
            let removed = state.removed_schedules.get(&spec.id);
            let after = removed.map_or(fresh.1, |removed| removed.after.max(fresh.1));
            (fresh.0, after)
        }
        Some((_, old)) => {
            let after = if begins_anew(old, spec, &origin) {
                old.after.max(now)
            } else {
                old.after
            };
            (old.anchor, after)
        }
    };
    let calendar = calendar(spec, anchor)?;
    let fires = spec.enabled && origin != ScheduleOrigin::Host;
    let fires = fires && !found.is_some_and(|(_, old)| old.paused);
    let next = if fires {
        next_of(spec, &calendar, after)
    } else {
        None
    };
    let cause = draft.order(ScheduleDefined {
        schedule: spec.id.clone(),
        spec: spec.clone(),
        origin,
        anchor,
        after,
        next,
    });
    if let Some((id, old)) = found {
        if after > old.after {
            pass_over(draft, cause, id, old);
        }
        if old.spec.enabled && !spec.enabled {
            drop_waiting(draft, cause, (id, old), "the schedule was disabled");
        }
    }
    Ok(())
}

fn begins_anew(old: &Schedule, spec: &definition::Schedule, origin: &ScheduleOrigin) -> bool {
    let times = old.spec.trigger != spec.trigger || old.spec.timezone != spec.timezone;
    let enabled = !old.spec.enabled && spec.enabled;
    let host = *origin == ScheduleOrigin::Host;
    let owner = (old.origin == ScheduleOrigin::Host) != host;
    // A host has its own time, by which it says what is due.
    (times || enabled || owner) && !host
}

/// Records due times that had passed and were not looked at before the times became others.
fn pass_over(draft: &mut Draft<'_>, cause: u64, id: &ScheduleId, old: &Schedule) {
    let Some(calendar) = old.calendar().filter(|_| old.is_active()) else {
        return;
    };
    let look = Look {
        id,
        jitter_ms: old.spec.jitter_ms,
        missed: Missed {
            policy: MissedPolicy::Skip,
            within_ms: u64::MAX,
        },
        after: old.after,
        since: draft.now,
        now: draft.now,
    };
    for dropped in look.due(&calendar).dropped {
        draft.emit_from(
            cause,
            OccurrenceMissed {
                schedule: id.clone(),
                due: dropped.first,
                until: dropped.last,
                count: dropped.count,
                counted: dropped.counted,
                reason: "missed, and the times were changed before it was made up for".to_owned(),
                after: None,
                next: None,
            },
        );
    }
}

/// Somebody wants a schedule forgotten.
pub(crate) fn remove_of(draft: &mut Draft<'_>, id: &ScheduleId) -> Result<(), Refusal> {
    let (id, found) = acted_on(draft, id)?;
    if found.origin == ScheduleOrigin::File {
        return Err(of_file(id));
    }
    forget(draft, id, found, "it was removed");
    Ok(())
}

fn forget(draft: &mut Draft<'_>, id: &ScheduleId, found: &Schedule, why: &str) {
    let cause = draft.order(ScheduleRemoved {
        schedule: id.clone(),
        reason: why.to_owned(),
    });
    drop_waiting(draft, cause, (id, found), "the schedule was removed");
}
