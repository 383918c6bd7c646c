//! Retention: when what is forgotten.
//!
//! A pass asks [`horizon`] how far back things are kept, finds the positions in the journal, and
//! submits them. What is decided here is the cut; the store carries it out afterwards, and again at
//! the next start where it could not.

use crate::command::MobCommand;
use crate::definition::Retention;
use crate::draft::Draft;
use crate::event::{Cut, MobTrimmed};
use crate::id::Seq;
use crate::state::State;
use crate::time::Time;

/// How long a process waits between two looks at what may be forgotten, in milliseconds.
pub const PASS_MS: u64 = 60 * 60 * 1_000;
/// A cut over fewer events than this is made once a day only: it is an event itself.
const CUT_EVENTS_MIN: u64 = 1_000;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// How far back things are kept; the positions are still open.
pub fn horizon(retention: &Retention, now: Time) -> MobTrimmed {
    let cut = |kept_ms: Option<u64>| {
        kept_ms.map(|kept_ms| Cut {
            below: Seq::MAX,
            before: Time(
                now.0
                    .saturating_sub(i64::try_from(kept_ms).unwrap_or(i64::MAX)),
            ),
        })
    };
    MobTrimmed {
        events: cut(retention.events_ms),
        logs: cut(retention.logs_ms),
    }
}

/// The command that asks for a cut.
pub fn command(wanted: MobTrimmed) -> MobCommand {
    MobCommand::Trim(wanted)
}

/// What of a cut is worth an event: never over open work, never backwards, and seldom for little.
pub fn worthwhile(state: &State, wanted: &MobTrimmed, now: Time) -> MobTrimmed {
    let trimmed = state.trimmed;
    let a_day_later = now.since_ms(trimmed.at) >= DAY_MS;
    let worth = |cut: Option<Cut>, last: Seq, most: Seq| {
        let cut = cut?;
        let below = cut.below.min(most);
        // Before the first event there is nothing to forget.
        let count = below.saturating_sub(last.max(1));
        let enough = count >= CUT_EVENTS_MIN || (count > 0 && a_day_later);
        enough.then_some(Cut { below, ..cut })
    };
    MobTrimmed {
        events: worth(wanted.events, trimmed.events.below, state.work_needs()),
        logs: worth(wanted.logs, trimmed.logs.below, state.head + 1),
    }
}

/// Decides a cut.
pub(crate) fn trim(draft: &mut Draft<'_>, wanted: &MobTrimmed) {
    let trimmed = worthwhile(draft.state(), wanted, draft.now);
    if trimmed.events.is_some() || trimmed.logs.is_some() {
        draft.emit(trimmed);
    }
}
