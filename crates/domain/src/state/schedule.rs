//! Schedules as the journal leaves them.

use crate::definition;
use crate::event::{Occasion, ScheduleOrigin, Started};
use crate::id::Seq;
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
