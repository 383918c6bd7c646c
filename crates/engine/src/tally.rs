//! Counts for metrics: what became durable since this process has had the mob.
//!
//! They are taken from the events themselves, once those are durable, so they agree with the
//! journal. A restart begins at zero, as metrics expect of counters.

use mobkit_domain::event::{Event, KINDS};
use mobkit_domain::id::{ModelId, ModuleId};
use mobkit_domain::model::Usage;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the buckets of commit times, in seconds.
pub const COMMIT_BUCKETS_S: [f64; 12] = [
    0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0,
];

/// What one model was used for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelUse {
    /// Calls that were answered.
    pub replied: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Tokens of the calls that were answered.
    pub usage: Usage,
    /// What the priced ones of them cost, in billionths of a US dollar.
    pub cost: u64,
}

/// How long commits took, from the call of the store to its answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Commits {
    /// Commits by the bucket of [`COMMIT_BUCKETS_S`] in which they are; the last one is for those
    /// above all bounds.
    pub buckets: [u64; COMMIT_BUCKETS_S.len() + 1],
    /// All of them together, in seconds.
    pub sum_s: f64,
}

/// Everything that is counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    /// Events by kind, for every kind that there is.
    pub events: BTreeMap<&'static str, u64>,
    /// Due times that passed without being run; one event may stand for several.
    pub occurrences_missed: u64,
    /// Models by their entry in the mob file.
    pub models: BTreeMap<ModelId, ModelUse>,
    /// Restarts of modules.
    pub module_restarts: BTreeMap<ModuleId, u64>,
    /// Commits of the journal.
    pub commits: Commits,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            events: KINDS.iter().map(|kind| (*kind, 0)).collect(),
            occurrences_missed: 0,
            models: BTreeMap::new(),
            module_restarts: BTreeMap::new(),
            commits: Commits::default(),
        }
    }
}

/// Counts, and who reads events.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: Mutex<Counts>,
    readers: Arc<AtomicU64>,
}

impl Tally {
    pub(crate) fn counts(&self) -> Counts {
        self.lock().clone()
    }

    pub(crate) fn readers(&self) -> u64 {
        self.readers.load(Ordering::Relaxed)
    }

    /// Counts a reader until what it gives is dropped.
    pub(crate) fn reader(&self) -> OpenReader {
        self.readers.fetch_add(1, Ordering::Relaxed);
        OpenReader(Arc::clone(&self.readers))
    }

    pub(crate) fn committed(&self, took: Duration) {
        let took_s = took.as_secs_f64();
        let bucket = COMMIT_BUCKETS_S.iter().position(|bound| took_s <= *bound);
        let commits = &mut self.lock().commits;
        commits.buckets[bucket.unwrap_or(COMMIT_BUCKETS_S.len())] += 1;
        commits.sum_s += took_s;
    }

    /// Counts events that are durable.
    pub(crate) fn count<'e>(&self, events: impl Iterator<Item = &'e Event>) {
        let mut counts = self.lock();
        for event in events {
            counts.count(event);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn count(&mut self, event: &Event) {
        *self.events.entry(event.kind()).or_default() += 1;
        match event {
            Event::ModelReplied(e) => {
                let model = self.models.entry(e.model.clone()).or_default();
                model.replied += 1;
                model.usage += e.usage;
                model.cost += e.cost_usd.map_or(0, |cost| cost.0);
            }
            Event::ModelFailed(e) => {
                self.models.entry(e.model.clone()).or_default().failed += 1;
            }
            Event::OccurrenceMissed(e) => self.occurrences_missed += e.count,
            Event::ModuleRestarting(e) => {
                *self.module_restarts.entry(e.module.clone()).or_default() += 1;
            }
            _ => {}
        }
    }
}

/// A reader that counts while it is there.
#[derive(Debug)]
pub(crate) struct OpenReader(Arc<AtomicU64>);

impl Drop for OpenReader {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
