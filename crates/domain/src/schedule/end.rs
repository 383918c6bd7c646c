//! What an occurrence started has come to its end, or an occurrence is dropped before it started.

use crate::draft::Draft;
use crate::event::{Occasion, OccurrenceCompleted, OccurrenceFailed, OccurrenceSkipped, Started};
use crate::id::{CallId, DeliveryId, MessageId, ScheduleId, Seq, TurnId};
use crate::state::Schedule;
use crate::time::Time;

/// The turn that a message led to has ended, or the message was dropped before there was one.
pub(crate) fn message_ended(
    draft: &mut Draft<'_>,
    cause: Seq,
    message: MessageId,
    turn: Option<TurnId>,
    outcome: Result<(), &str>,
) {
    if let Some((schedule, due)) = draft.state().occurrence_messages.get(&message) {
        ended(draft, cause, (schedule, *due), turn, outcome);
    }
}

/// A direct call has ended.
pub(crate) fn call_ended(
    draft: &mut Draft<'_>,
    cause: Seq,
    call: CallId,
    outcome: Result<(), &str>,
) {
    if let Some((schedule, due)) = draft.state().occurrence_calls.get(&call) {
        ended(draft, cause, (schedule, *due), None, outcome);
    }
}

/// A delivery was delivered, or is not tried again by itself.
pub(crate) fn delivery_ended(
    draft: &mut Draft<'_>,
    cause: Seq,
    delivery: DeliveryId,
    ok: bool,
    reason: &str,
) {
    if let Some((schedule, due)) = draft.state().occurrence_deliveries.get(&delivery) {
        let outcome = if ok { Ok(()) } else { Err(reason) };
        ended(draft, cause, (schedule, *due), None, outcome);
    }
}

fn ended(
    draft: &mut Draft<'_>,
    cause: Seq,
    (schedule, due): (&ScheduleId, Time),
    turn: Option<TurnId>,
    outcome: Result<(), &str>,
) {
    let Some(open) = draft.state().occurrence(schedule, due) else {
        return;
    };
    if draft.has_ended_occurrence(schedule, due) {
        return;
    }
    let schedule = schedule.clone();
    match outcome {
        Ok(()) => {
            draft.emit_from(
                cause,
                OccurrenceCompleted {
                    schedule,
                    due,
                    turn,
                },
            );
        }
        Err(reason) => {
            draft.emit_from(
                cause,
                OccurrenceFailed {
                    schedule,
                    due,
                    reason: reason.to_owned(),
                    attempts: open.attempts,
                    retry_at: None,
                    turn,
                },
            );
        }
    }
}

/// Drops the occurrences of a schedule that wait to be started.
pub(super) fn drop_waiting(
    draft: &mut Draft<'_>,
    cause: Seq,
    (id, schedule): (&ScheduleId, &Schedule),
    reason: &str,
) {
    for (due, open) in &schedule.open {
        if open.started.is_none() {
            skip(draft, cause, (id, *due), reason);
        }
    }
}

fn skip(draft: &mut Draft<'_>, cause: Seq, (id, due): (&ScheduleId, Time), reason: &str) {
    if draft.has_ended_occurrence(id, due) {
        return;
    }
    draft.emit_from(
        cause,
        OccurrenceSkipped {
            schedule: id.clone(),
            due,
            reason: reason.to_owned(),
            after: None,
            next: None,
        },
    );
}

/// Stops every open occurrence of a schedule, since a later one takes its place. A call and a
/// delivery can't be called back: they go on, and nobody waits for them.
pub(super) fn cancel_open(draft: &mut Draft<'_>, id: &ScheduleId, schedule: &Schedule) {
    const REASON: &str = "a later occurrence of the schedule took its place";
    for (due, open) in &schedule.open {
        if draft.has_ended_occurrence(id, *due) {
            continue;
        }
        match open.started {
            None => skip(draft, open.claim, (id, *due), REASON),
            Some(Started::Message(message)) => cancel_message(draft, message, REASON),
            Some(Started::Call(_) | Started::Delivery(_)) => {}
        }
        // Whatever became of the work: the occurrence is over.
        ended(draft, open.claim, (id, *due), None, Err(REASON));
    }
}

fn cancel_message(draft: &mut Draft<'_>, id: MessageId, reason: &str) {
    let Some(message) = draft.state().messages.get(&id) else {
        return;
    };
    match message.turn {
        Some(turn) if !draft.has_ended(turn) => crate::turn::cancel(draft, turn, reason),
        Some(_) => {}
        None => crate::message::cancel(draft, id, message, reason),
    }
}

/// How many occurrences of a schedule are open.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standing {
    /// All of them.
    pub open: usize,
    /// Those that wait to be started, apart from those of the past.
    pub queued: usize,
    /// Those of the past that are made up for and wait to be started.
    pub made_up: usize,
}

impl Standing {
    /// All that wait to be started.
    pub fn waiting(&self) -> usize {
        self.queued + self.made_up
    }
}

/// How many occurrences of a schedule are open and not ended by this decision.
pub(super) fn still_open(draft: &Draft<'_>, id: &ScheduleId, schedule: &Schedule) -> Standing {
    let mut standing = Standing::default();
    for (due, open) in &schedule.open {
        if draft.has_ended_occurrence(id, *due) {
            continue;
        }
        standing.open += 1;
        if open.started.is_some() {
            continue;
        }
        match open.occasion {
            Occasion::Due | Occasion::Host | Occasion::Triggered => standing.queued += 1,
            Occasion::MadeUp | Occasion::Backfilled => standing.made_up += 1,
        }
    }
    standing
}
