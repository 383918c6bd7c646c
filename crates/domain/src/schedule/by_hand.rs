//! Somebody has a schedule run now, or has the past made up for.

use super::check::calendar;
use super::decide::acted_on;
use super::dispatch::{attempt, fresh};
use super::due::MADE_UP_MAX;
use super::end::{cancel_open, still_open};
use super::fire::QUEUED_MAX;
use crate::definition::Overlap;
use crate::draft::Draft;
use crate::event::{Occasion, OccurrenceClaimed};
use crate::id::{ScheduleId, Seq};
use crate::refusal::{Refusal, RefusalKind};
use crate::state::Schedule;
use crate::time::Time;
use std::collections::BTreeSet;

fn claim(draft: &mut Draft<'_>, id: &ScheduleId, due: Time, occasion: Occasion) -> Seq {
    draft.order(OccurrenceClaimed {
        schedule: id.clone(),
        due,
        occasion,
        after: None,
        next: None,
    })
}

/// Runs a schedule now, once, whether or not it fires by itself.
pub(super) fn trigger(draft: &mut Draft<'_>, id: &ScheduleId) -> Result<(), Refusal> {
    let (id, found) = acted_on(draft, id)?;
    let due = free_time(draft, found);
    let standing = still_open(draft, id, found);
    let open = standing.open;
    let waits = match found.spec.overlap {
        Overlap::Skip if open > 0 => {
            let message = format!("an occurrence of the schedule {id} has not ended");
            return Err(
                Refusal::new(RefusalKind::Conflict, "schedule.running", message)
                    .hint("wait until it has, or give the schedule another \"overlap\""),
            );
        }
        Overlap::Queue if standing.queued >= QUEUED_MAX => return Err(queue_full(id)),
        Overlap::Queue => open > 0,
        Overlap::Skip | Overlap::Cancel | Overlap::Allow => false,
    };
    let seq = claim(draft, id, due, Occasion::Triggered);
    if found.spec.overlap == Overlap::Cancel {
        cancel_open(draft, id, found);
    }
    if !waits {
        let begun = fresh(due, seq, Occasion::Triggered, draft.now);
        attempt(draft, &found.spec, &begun);
    }
    Ok(())
}

fn queue_full(id: &ScheduleId) -> Refusal {
    let message = format!("{QUEUED_MAX} occurrences of the schedule {id} wait already");
    Refusal::new(RefusalKind::Busy, "schedule.queue_full", message)
}

/// Now, or as soon after it as there is no other occurrence and none is due by itself.
fn free_time(draft: &Draft<'_>, found: &Schedule) -> Time {
    let calendar = found.calendar();
    let mut due = draft.now;
    loop {
        let just_before = Time(due.0.saturating_sub(1));
        let timed = calendar.as_ref().and_then(|times| times.next(just_before)) == Some(due);
        if !timed && !found.by_hand.contains(&due) && !found.open.contains_key(&due) {
            return due;
        }
        due = due.plus_ms(1);
    }
}

/// Runs due times of the past, oldest first. Those of a schedule whose occurrences don't run beside
/// each other wait for one another, as those do that a downtime left.
pub(super) fn backfill(
    draft: &mut Draft<'_>,
    id: &ScheduleId,
    dues: &[Time],
) -> Result<(), Refusal> {
    let (id, found) = acted_on(draft, id)?;
    let dues: BTreeSet<Time> = dues.iter().copied().collect();
    let standing = still_open(draft, id, found);
    let mut open = standing.open;
    let beside = found.spec.overlap == Overlap::Allow;
    let max = if beside {
        MADE_UP_MAX
    } else {
        MADE_UP_MAX.saturating_sub(standing.waiting())
    };
    if dues.len() > max {
        let message = format!(
            "{} due times are too many: the schedule {id} takes {max} now",
            dues.len()
        );
        return Err(
            Refusal::new(RefusalKind::Invalid, "schedule.backfill_too_many", message)
                .hint("ask for fewer, and for the rest when they have ended"),
        );
    }
    let calendar = calendar(&found.spec, found.anchor)?;
    for due in &dues {
        let just_before = Time(due.0.saturating_sub(1));
        if calendar.next(just_before) != Some(*due) {
            let message = format!("the schedule {id} was not due at {due}");
            let code = "schedule.not_due";
            return Err(Refusal::new(RefusalKind::Invalid, code, message));
        }
        let passed = *due <= draft.now && (*due <= found.after || !found.is_active());
        if !passed {
            let message = format!("{due} is still to be run by the schedule {id} itself");
            let code = "schedule.not_past";
            return Err(Refusal::new(RefusalKind::Invalid, code, message));
        }
        if found.by_hand.contains(due) || found.open.contains_key(due) {
            let message = format!("the schedule {id} has an occurrence of {due} already");
            let code = "schedule.claimed";
            return Err(Refusal::new(RefusalKind::Conflict, code, message));
        }
    }
    for due in dues {
        let seq = claim(draft, id, due, Occasion::Backfilled);
        if beside || open == 0 {
            let begun = fresh(due, seq, Occasion::Backfilled, draft.now);
            open += usize::from(attempt(draft, &found.spec, &begun));
        } else {
            open += 1;
        }
    }
    Ok(())
}
