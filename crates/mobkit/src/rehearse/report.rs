//! What came of a rehearsal.

use mobkit_domain::id::{DeliveryId, MobId};
use mobkit_domain::model::Cost;
use mobkit_domain::time::Time;
use serde::Serialize;
use serde_json::Value;

/// An entry of the timeline, as it went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Happened {
    /// When, in the time of the scenario.
    pub at: Time,
    /// The same on the clocks of its zone.
    pub local: String,
    /// Its line in the scenario.
    pub line: u32,
    /// What was done, one line.
    pub what: String,
    /// What came of it at once, one line.
    pub outcome: String,
    /// Whether it could be done.
    pub ok: bool,
}

/// Something that was expected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// When it was looked at, in the time of the scenario.
    pub at: Time,
    /// The same on the clocks of its zone.
    pub local: String,
    /// Its line in the scenario.
    pub line: u32,
    /// What was looked at, one line.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// Whether it holds.
    pub ok: bool,
}

/// A delivery that a receiver would have got.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Captured {
    /// When.
    pub at: Time,
    /// The delivery.
    pub delivery: DeliveryId,
    /// Over which route.
    pub route: String,
    /// For whom.
    pub recipient: String,
    /// On which channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// What it says.
    pub payload: Value,
}

/// What the journal holds in sum.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Messages that were accepted.
    pub messages: u64,
    /// Turns that ended with an answer.
    pub turns_completed: u64,
    /// Turns that failed.
    pub turns_failed: u64,
    /// Turns that were cancelled.
    pub turns_cancelled: u64,
    /// Model calls that were answered.
    pub model_calls: u64,
    /// Attempts at model calls that failed.
    pub model_failures: u64,
    /// Tool calls that were begun.
    pub tool_calls: u64,
    /// Approvals that were asked for.
    pub approvals: u64,
    /// Occurrences that began.
    pub occurrences: u64,
    /// Due times that were missed.
    pub missed: u64,
    /// What the priced model calls cost.
    pub cost_usd: Cost,
    /// Model calls without a price.
    pub unpriced_calls: u64,
}

/// A day that was rehearsed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rehearsal {
    /// The mob.
    pub mob: MobId,
    /// What the scenario is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The seed.
    pub seed: u64,
    /// When it began.
    pub start: Time,
    /// When it ended, in the time of the scenario.
    pub end: Time,
    /// How many processes the mob had.
    pub processes: u64,
    /// How many events its journal has.
    pub events: u64,
    /// SHA-256 over its journal: the same for the same files, version and seed.
    pub digest: String,
    /// What was done.
    pub timeline: Vec<Happened>,
    /// What was expected.
    pub expectations: Vec<Judged>,
    /// What would have left the mob.
    pub deliveries: Vec<Captured>,
    /// Sums.
    pub totals: Totals,
}

impl Rehearsal {
    /// Whether all could be done that was to be done, and everything holds that was expected.
    pub fn is_as_expected(&self) -> bool {
        self.timeline.iter().all(|entry| entry.ok)
            && self.expectations.iter().all(|judged| judged.ok)
    }
}
