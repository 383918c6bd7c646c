//! Stopping without losing anything, and saying truthfully what was seen.

use crate::dispatch::EngineStopped;
use crate::engine::Engine;
use crate::recover::snapshot;
use crate::tasks::Tasks;
use mobkit_domain::command::{Command, RuntimeCommand};
use mobkit_domain::event::{DrainReport, Event, EventFilter};
use mobkit_domain::id::Seq;
use mobkit_domain::lifecycle::{LifecycleEvent, Phase};
use mobkit_store::EventQuery;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::watch;

/// How long running turns may take to end, in milliseconds, where nobody says otherwise.
pub const DRAIN_TIMEOUT_MS: u64 = 30_000;
/// How long tasks may take to end once they were asked.
const TASKS_PATIENCE: Duration = Duration::from_secs(2);
const PAGE_EVENTS: usize = 4_096;

/// What came of stopping a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleStopped {
    /// The module.
    pub id: String,
    /// `exited`, `terminated` or `killed`.
    pub outcome: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// What was seen while the runtime stopped. Every figure was observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShutdownReport {
    /// The phase at the end.
    pub state: Phase,
    /// The drain.
    pub drain: DrainReport,
    /// The modules.
    pub modules: Vec<ModuleStopped>,
    /// Child processes of this process that were left.
    pub orphan_processes: u64,
    /// The external engines.
    pub engines: Vec<EngineStopped>,
    /// Tasks that had to be dropped since they did not end when asked, by name.
    pub tasks_dropped: Vec<String>,
    /// Position of the last event.
    pub journal_seq: Seq,
    /// What could not be done, one line each; empty after an orderly stop.
    pub problems: Vec<String>,
}

impl ShutdownReport {
    /// Whether every turn was finished or put aside and nothing had to be killed.
    pub fn is_orderly(&self) -> bool {
        self.state == Phase::Stopped
            && self.problems.is_empty()
            && self.tasks_dropped.is_empty()
            && self.orphan_processes == 0
            && self.modules.iter().all(|module| module.outcome != "killed")
    }
}

/// The one shutdown of a runtime; whoever asks again gets the same report.
pub(crate) struct Shutdown {
    begun: std::sync::atomic::AtomicBool,
    report: watch::Sender<Option<ShutdownReport>>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { begun: false.into(), report: watch::Sender::new(None) }
    }
}

impl Engine {
    /// Stops the mob. Idempotent: a second call waits and returns the same report. Goes on even if
    /// the caller stops waiting.
    pub async fn shutdown(&self) -> ShutdownReport {
        let mut report = self.shared.shutdown.report.subscribe();
        let begun = &self.shared.shutdown.begun;
        if !begun.swap(true, std::sync::atomic::Ordering::AcqRel) {
            self.shared.start_cancelled.cancel();
            let engine = self.clone();
            Tasks::detached(async move {
                let report = engine.stop().await;
                engine.shared.shutdown.report.send_replace(Some(report));
            });
        }
        let ended = report.wait_for(Option::is_some).await;
        ended.ok().and_then(|report| report.clone()).expect("the sender lives as long as the engine")
    }

    async fn stop(&self) -> ShutdownReport {
        let began = self.now();
        let mut problems = Vec::new();
        let timeout_ms = self.shared.drain_timeout_ms;
        let drain = Command::Runtime(RuntimeCommand::Drain { timeout_ms });
        let since = match self.submit_internal(drain).await {
            Ok(answer) => answer.seq(),
            Err(refusal) => {
                problems.push(format!("drain: {refusal}"));
                self.head()
            }
        };
        let timed_out = !self.drained(Duration::from_millis(timeout_ms)).await;
        // What still runs is put aside; its runners are told to stop by the events of that.
        if let Err(refusal) =
            self.submit_internal(Command::Runtime(RuntimeCommand::Checkpoint)).await
        {
            problems.push(format!("checkpoint: {refusal}"));
        }
        self.shared.dispatch.abort_all();
        let engines = self.shared.runner.stop().await;
        let mut drain = self.observed(since).await.unwrap_or_else(|error| {
            problems.push(format!("reading what was seen: {error}"));
            DrainReport::default()
        });
        drain.timed_out = timed_out;
        drain.took_ms = self.now().since_ms(began);
        let stop = Command::Runtime(RuntimeCommand::Stop { drain: drain.clone() });
        if let Err(refusal) = self.submit_internal(stop).await {
            problems.push(format!("last event: {refusal}"));
        }
        let journal_seq = self.head();
        if problems.is_empty()
            && let Err(error) = snapshot(self).await
        {
            problems.push(format!("snapshot: {error}"));
        }
        self.closing().cancel();
        let dropped = self.tasks().stop(TASKS_PATIENCE).await;
        if let Err(error) = self.store().close().await {
            problems.push(format!("closing the store: {error}"));
        }
        let failed = self.phase().now() == Phase::Failed;
        if !failed {
            self.phase().on(LifecycleEvent::ShutdownEnded);
        }
        ShutdownReport {
            state: self.phase().now(),
            drain,
            modules: Vec::new(),
            orphan_processes: children(),
            engines,
            tasks_dropped: dropped.into_keys().map(str::to_owned).collect(),
            journal_seq,
            problems,
        }
    }

    /// Waits until no turn works; `false`: the time was over first. A turn that waits for somebody
    /// can't be finished by waiting here.
    async fn drained(&self, patience: Duration) -> bool {
        let mut head = self.tail().subscribe();
        let quiet = async {
            while self.view(|world| world.state.working_total() > 0) {
                if head.changed().await.is_err() {
                    return;
                }
            }
        };
        if self.phase().now() == Phase::Failed {
            return false;
        }
        tokio::time::timeout(patience, quiet).await.is_ok()
    }

    /// Counts what the journal says of the drain.
    async fn observed(&self, since: Seq) -> Result<DrainReport, mobkit_store::StoreError> {
        let mut report = DrainReport::default();
        let mut after = since;
        let until = self.head();
        let filter = EventFilter { kinds: vec!["turn.*".to_owned()], ..EventFilter::default() };
        while after < until {
            let query =
                EventQuery { after, until, filter: filter.clone(), limit: PAGE_EVENTS };
            let page = self.store().events(self.mob(), query).await?;
            for envelope in &page.events {
                match &envelope.event {
                    Event::TurnCompleted(_) | Event::TurnFailed(_) => report.turns_finished += 1,
                    Event::TurnCancelled(_) => report.turns_cancelled += 1,
                    Event::TurnCheckpointed(_) => report.turns_checkpointed += 1,
                    _ => {}
                }
            }
            if page.next_after <= after {
                break;
            }
            after = page.next_after;
        }
        report.events_flushed = until.saturating_sub(since);
        Ok(report)
    }
}

/// Child processes of this process that are alive, as the kernel lists them.
fn children() -> u64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0 };
    let lists = tasks
        .filter_map(Result::ok)
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists.map(|list| list.split_whitespace().count() as u64).sum()
}
