//! The rows of occurrences.

use crate::event::{Envelope, Event};
use crate::id::ScheduleId;
use crate::row::{OccurrenceRow, OccurrenceState};
use crate::state::{Occurrence, State};
use crate::time::Time;

/// The row that an event of a schedule leads to, given the state before it.
pub(crate) fn occurrence_row(state: &State, envelope: &Envelope) -> Option<OccurrenceRow> {
    let fresh =
        |schedule: &ScheduleId, due, stands| fresh_row(envelope, schedule.clone(), due, stands);
    let open = |schedule: &ScheduleId, due: Time, stands| {
        let found: &Occurrence = state.occurrence(schedule, due)?;
        Some(OccurrenceRow {
            number: found.claim,
            occasion: Some(found.occasion),
            attempts: found.attempts,
            started: found.started,
            reason: found.reason.clone(),
            at: found.claimed,
            ..fresh(schedule, due, stands)
        })
    };
    Some(match &envelope.event {
        Event::OccurrenceClaimed(e) => OccurrenceRow {
            occasion: Some(e.occasion),
            ..fresh(&e.schedule, e.due, OccurrenceState::Claimed)
        },
        Event::OccurrenceDispatched(e) => OccurrenceRow {
            started: Some(e.started),
            attempts: e.attempts,
            reason: None,
            ..open(&e.schedule, e.due, OccurrenceState::Dispatched)?
        },
        Event::OccurrenceCompleted(e) => OccurrenceRow {
            turn: e.turn,
            ..open(&e.schedule, e.due, OccurrenceState::Completed)?
        },
        Event::OccurrenceFailed(e) => {
            let stands = match e.retry_at {
                Some(_) => OccurrenceState::Claimed,
                None => OccurrenceState::Failed,
            };
            OccurrenceRow {
                turn: e.turn,
                attempts: e.attempts,
                reason: Some(e.reason.clone()),
                ..open(&e.schedule, e.due, stands)?
            }
        }
        Event::OccurrenceSkipped(e) => {
            let row = match e.after {
                None => open(&e.schedule, e.due, OccurrenceState::Skipped)?,
                Some(_) => fresh(&e.schedule, e.due, OccurrenceState::Skipped),
            };
            OccurrenceRow {
                reason: Some(e.reason.clone()),
                ..row
            }
        }
        Event::OccurrenceMissed(e) => OccurrenceRow {
            until: Some(e.until),
            count: e.count,
            reason: Some(e.reason.clone()),
            ..fresh(&e.schedule, e.due, OccurrenceState::Missed)
        },
        _ => return None,
    })
}

fn fresh_row(
    envelope: &Envelope,
    schedule: ScheduleId,
    due: Time,
    stands: OccurrenceState,
) -> OccurrenceRow {
    OccurrenceRow {
        number: envelope.seq,
        schedule,
        due,
        until: None,
        count: 1,
        state: stands,
        occasion: None,
        attempts: 0,
        started: None,
        turn: None,
        reason: None,
        at: envelope.time,
        seq: envelope.seq,
    }
}
