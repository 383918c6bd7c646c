//! Schedules as the journal leaves them.

use crate::definition::{self, Overlap};
use crate::event::{Occasion, ScheduleOrigin, Started};
use crate::id::Seq;
use crate::schedule::Calendar;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An occurrence that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// Position of its `occurrence.claimed`: the number of its row.
    pub claim: Seq,
    /// Why there is one.
    pub occasion: Occasion,
    /// When it was claimed.
    pub claimed: Time,
    /// Attempts to start it so far.
    pub attempts: u32,
    /// What it started; `None`: it could not be started yet.
    pub started: Option<Started>,
    /// Not tried before this time, where it could not be started.
    pub not_before: Time,
    /// Why it could not be started.
    pub reason: Option<String>,
}

/// One schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// All of it.
    pub spec: definition::Schedule,
    /// Who wants it.
    pub origin: ScheduleOrigin,
    /// From when intervals count.
    pub anchor: Time,
    /// The last due time that was looked at: none up to here fires again.
    pub after: Time,
    /// When it fires next.
    pub next: Option<Time>,
    /// Whether it is paused.
    pub paused: bool,
    /// Occurrences that have not ended, by due time.
    pub open: BTreeMap<Time, Occurrence>,
    /// Due times that were triggered or made up for by hand, the latest of them: none of them fires
    /// twice.
    pub by_hand: BTreeSet<Time>,
}

/// What is kept of a schedule that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedSchedule {
    /// No due time up to here fires, if a schedule of this id is defined again.
    pub after: Time,
    /// Occurrences that go on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub open: BTreeMap<Time, Occurrence>,
}

impl Schedule {
    /// Its calendar; `None`: the definition was valid for another version only.
    pub fn calendar(&self) -> Option<Calendar> {
        Calendar::of(&self.spec.trigger, &self.spec.timezone, self.anchor).ok()
    }

    /// Whether the runtime's timer fires it, pauses aside.
    pub fn is_timed(&self) -> bool {
        self.spec.enabled && self.origin != ScheduleOrigin::Host
    }

    /// Whether the runtime's timer fires it.
    pub fn is_active(&self) -> bool {
        self.is_timed() && !self.paused
    }

    /// The occurrences that may be started once their time has come: where they don't run beside
    /// each other, only the one that was claimed first, and only if none is under way.
    pub fn startable(&self) -> Vec<(Time, &Occurrence)> {
        let waiting = self.open.iter().filter(|(_, open)| open.started.is_none());
        let waiting = waiting.map(|(due, open)| (*due, open));
        if self.spec.overlap == Overlap::Allow {
            return waiting.collect();
        }
        if self.open.values().any(|open| open.started.is_some()) {
            return Vec::new();
        }
        waiting
            .min_by_key(|(_, open)| open.claim)
            .into_iter()
            .collect()
    }

    /// When the writer has to look at it.
    pub(super) fn wake(&self) -> Option<Time> {
        let next = self.next.filter(|_| self.is_active());
        let waiting = self.startable().into_iter();
        waiting.map(|(_, open)| open.not_before).chain(next).min()
    }
}
