//! A schedule fires no longer, or fires again.

use super::decide::acted_on;
use super::end::drop_waiting;
use super::put::next_of;
use crate::draft::Draft;
use crate::event::{SchedulePaused, ScheduleResumed};
use crate::id::ScheduleId;
use crate::refusal::Refusal;

/// What is started goes on; what waits to be started is dropped.
pub(super) fn pause(
    draft: &mut Draft<'_>,
    id: &ScheduleId,
    reason: Option<&str>,
) -> Result<(), Refusal> {
    let (id, found) = acted_on(draft, id)?;
    if found.paused {
        return Ok(());
    }
    let cause = draft.order(SchedulePaused {
        schedule: id.clone(),
        reason: reason.map(str::to_owned),
    });
    drop_waiting(draft, cause, (id, found), "the schedule was paused");
    Ok(())
}

/// From now on: what was due in between is not made up for.
pub(super) fn resume(draft: &mut Draft<'_>, id: &ScheduleId) -> Result<(), Refusal> {
    let (id, found) = acted_on(draft, id)?;
    if !found.paused {
        return Ok(());
    }
    let after = found.after.max(draft.now);
    let calendar = found.calendar().filter(|_| found.is_timed());
    let next = calendar.and_then(|calendar| next_of(&found.spec, &calendar, after));
    draft.order(ScheduleResumed {
        schedule: id.clone(),
        after,
        next,
    });
    Ok(())
}
