//! An occurrence that can't be started now: tried again until its window is over.

use super::dispatch::Trouble;
use crate::definition;
use crate::draft::Draft;
use crate::event::{ErrorEvent, ErrorRaised, Occasion, OccurrenceFailed};
use crate::id::Seq;
use crate::time::Time;

const PAUSE_MS_MIN: u64 = 1_000;
const PAUSE_MS_MAX: u64 = 60_000;

/// An occurrence that is to be started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt {
    /// Its due time.
    pub due: Time,
    /// Position of its claim.
    pub claim: Seq,
    /// Why there is one.
    pub occasion: Occasion,
    /// When it was claimed.
    pub claimed: Time,
    /// Attempts before this one.
    pub before: u32,
}

impl Attempt {
    /// Until when it is tried.
    fn until(&self, spec: &definition::Schedule) -> Time {
        let from = match self.occasion {
            Occasion::Due | Occasion::MadeUp | Occasion::Host => self.due,
            // What somebody asks for is due when they ask.
            Occasion::Triggered | Occasion::Backfilled => self.claimed,
        };
        from.plus_ms(spec.missed.within_ms)
    }
}

/// How long to wait after so many attempts, in milliseconds.
fn pause_ms(attempts: u32) -> u64 {
    let doubled = 1_u64.checked_shl(attempts.saturating_sub(1)).unwrap_or(0);
    match PAUSE_MS_MIN.checked_mul(doubled) {
        Some(ms) if doubled > 0 => ms.min(PAUSE_MS_MAX),
        _ => PAUSE_MS_MAX,
    }
}

/// Records that an attempt to start it failed; whether it is tried again.
pub(super) fn failed(
    draft: &mut Draft<'_>,
    spec: &definition::Schedule,
    attempt: &Attempt,
    trouble: Trouble,
) -> bool {
    let attempts = attempt.before + 1;
    let until = attempt.until(spec);
    let again = !trouble.hopeless && draft.now < until;
    let retry_at = again.then(|| draft.now.plus_ms(pause_ms(attempts)).min(until));
    let seq = draft.emit_from(
        attempt.claim,
        OccurrenceFailed {
            schedule: spec.id.clone(),
            due: attempt.due,
            reason: trouble.reason.clone(),
            attempts,
            retry_at,
            turn: None,
        },
    );
    if !again {
        let error = ErrorEvent::ScheduleMissed {
            schedule: spec.id.to_string(),
            due: attempt.due,
            reason: trouble.reason,
        };
        draft.emit_from(seq, ErrorRaised { error });
    }
    again
}
