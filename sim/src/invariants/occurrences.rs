//! Each due time of a schedule has one record, and no due time is left out.

use super::Seen;
use mobkit::event::{Event, Started};
use mobkit::id::ScheduleId;
use mobkit::time::Time;
use std::collections::{BTreeMap, BTreeSet};

/// An occurrence in the journal.
#[derive(Debug, Default)]
struct Occurrence {
    claims: usize,
    dispatches: usize,
    /// Failures that another attempt follows.
    retries: usize,
    ends: usize,
    skips: usize,
}

/// What does not hold of occurrences.
pub(super) fn broken(seen: &Seen) -> Vec<String> {
    let mut broken = Vec::new();
    let mut all: BTreeMap<(ScheduleId, Time), Occurrence> = BTreeMap::new();
    let mut started: BTreeSet<String> = BTreeSet::new();
    let mut of = |schedule: &ScheduleId, due: Time, note: &dyn Fn(&mut Occurrence)| {
        note(all.entry((schedule.clone(), due)).or_default());
    };
    for envelope in &seen.events {
        match &envelope.event {
            Event::OccurrenceClaimed(e) => of(&e.schedule, e.due, &|o| o.claims += 1),
            Event::OccurrenceDispatched(e) => {
                of(&e.schedule, e.due, &|o| o.dispatches += 1);
                let what = match e.started {
                    Started::Message(message) => message.to_string(),
                    Started::Call(call) => call.to_string(),
                    Started::Delivery(delivery) => delivery.to_string(),
                };
                if !started.insert(what.clone()) {
                    broken.push(format!("{what} was started by two occurrences"));
                }
            }
            Event::OccurrenceCompleted(e) => of(&e.schedule, e.due, &|o| o.ends += 1),
            Event::OccurrenceFailed(e) => {
                let again = e.retry_at.is_some();
                of(&e.schedule, e.due, &|o| {
                    o.retries += usize::from(again);
                    o.ends += usize::from(!again);
                });
            }
            Event::OccurrenceSkipped(e) => of(&e.schedule, e.due, &|o| o.skips += 1),
            _ => {}
        }
    }
    for ((schedule, due), occurrence) in &all {
        let Occurrence {
            claims,
            dispatches,
            retries,
            ends,
            skips,
        } = occurrence;
        let once = match (claims, skips) {
            // Skipped before anybody claimed it, or afterwards.
            (0, 1) => *dispatches == 0 && *ends == 0,
            (1, 0) => *ends == 1 && *dispatches <= 1 + retries,
            (1, 1) => *ends == 0,
            _ => false,
        };
        if !once {
            broken.push(format!("{schedule} due {due}: {occurrence:?}"));
        }
    }
    broken
}
