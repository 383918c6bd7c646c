//! Stopping without losing anything, and saying truthfully what was seen.

use crate::dispatch::EngineStopped;
use crate::engine::Engine;
use crate::hooks::guarded;
use crate::module_stop::{MODULES_PATIENCE, ModuleStopped};
use crate::recover::snapshot;
use crate::tasks::Tasks;
use mobkit_domain::command::{Answer, Command, RuntimeCommand};
use mobkit_domain::event::{DrainReport, Event, EventFilter, StopOutcome};
use mobkit_domain::id::Seq;
use mobkit_domain::lifecycle::{LifecycleEvent, Phase};
use mobkit_domain::refusal::Refusal;
use mobkit_domain::world::World;
use mobkit_store::EventQuery;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::watch;

/// How long running turns may take to end, in milliseconds, where nobody says otherwise.
pub const DRAIN_TIMEOUT_MS: u64 = 30_000;
/// How long tasks may take to end once they were asked.
const ENDING_PATIENCE: Duration = Duration::from_secs(2);
/// How long all engines together may take to end, those that have to be killed included: a process
/// has five seconds to end by itself, and one after it was asked to.
const ENGINES_PATIENCE: Duration = Duration::from_secs(10);
/// The same where no engine has a process.
const ENGINES_ALONE_PATIENCE: Duration = Duration::from_secs(2);
/// How long the store may take to close: a database may have much to put in its place on a slow
/// disk, and until it is closed nobody else can open the state directory.
const CLOSING_PATIENCE: Duration = Duration::from_secs(10);
/// How long recording the end may take beyond the drain. More is needed by a broken disk only.
const RECORDING_PATIENCE: Duration = Duration::from_secs(5);
const PAGE_EVENTS: usize = 4_096;

/// What was seen while the runtime stopped. Every figure was observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShutdownReport {
    /// The phase at the end.
    pub state: Phase,
    /// The drain.
    pub drain: DrainReport,
    /// The modules.
    pub modules: Vec<ModuleStopped>,
    /// Processes of modules that were left; other children of the host are not counted.
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
            && self
                .modules
                .iter()
                .all(|module| module.outcome != StopOutcome::Killed)
    }
}

/// The one shutdown of a runtime; whoever asks again gets the same report.
pub(crate) struct Shutdown {
    begun: std::sync::atomic::AtomicBool,
    report: watch::Sender<Option<ShutdownReport>>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self {
            begun: false.into(),
            report: watch::Sender::new(None),
        }
    }
}

/// What a stop has seen so far.
#[derive(Default)]
struct Seen {
    drain: DrainReport,
    engines: Vec<EngineStopped>,
    /// `None`: the modules have not been stopped yet.
    modules: Option<Vec<ModuleStopped>>,
    problems: Vec<String>,
    /// Whether the last event is durable.
    stopped: bool,
}

impl Seen {
    /// Notes what came of stopping the modules, and returns it where all have ended.
    fn stop_of_modules(
        &mut self,
        stopped: Result<Vec<ModuleStopped>, String>,
    ) -> Option<Vec<ModuleStopped>> {
        match stopped {
            Ok(stopped) => {
                self.modules = Some(stopped.clone());
                Some(stopped)
            }
            Err(problem) => {
                self.modules = Some(Vec::new());
                self.problems.push(problem);
                None
            }
        }
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
        ended
            .ok()
            .and_then(|report| report.clone())
            .expect("the sender lives as long as the engine")
    }

    async fn stop(&self) -> ShutdownReport {
        let mut seen = Seen::default();
        let timeout = Duration::from_millis(self.shared.drain_timeout_ms);
        let patience = timeout + self.processes_patience() + RECORDING_PATIENCE;
        let in_order = self.wind_down(&mut seen, timeout);
        if tokio::time::timeout(patience, in_order).await.is_err() {
            seen.problems
                .push("the journal or the store does not answer".to_owned());
        }
        self.closing().cancel();
        if seen.modules.is_none() {
            // No process may stay, whatever the journal does.
            self.shared.dispatch.close();
            seen.stop_of_modules(self.stop_modules().await);
        }
        self.shared.dispatch.abort_all();
        let journal_seq = self.head();
        let dropped = self.tasks().stop(ENDING_PATIENCE).await;
        match tokio::time::timeout(CLOSING_PATIENCE, self.store().close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => seen.problems.push(format!("closing the store: {error}")),
            Err(_) => seen
                .problems
                .push("closing the store: it does not answer".to_owned()),
        }
        // Only a stop whose last event is durable is one in order.
        let ended = if seen.stopped {
            LifecycleEvent::ShutdownEnded
        } else {
            LifecycleEvent::Broke
        };
        self.phase().on(ended);
        ShutdownReport {
            state: self.phase().now(),
            drain: seen.drain,
            modules: seen.modules.unwrap_or_default(),
            orphan_processes: self.processes_left(&mut seen.problems).await,
            engines: seen.engines,
            tasks_dropped: dropped.into_keys().map(str::to_owned).collect(),
            journal_seq,
            problems: seen.problems,
        }
    }

    /// Everything that goes through the journal, from the first to the last event of a stop.
    async fn wind_down(&self, seen: &mut Seen, timeout: Duration) {
        let began = self.now();
        let timeout_ms = self.shared.drain_timeout_ms;
        let since = match self.direct(RuntimeCommand::Drain { timeout_ms }).await {
            Ok(answer) => answer.seq(),
            Err(refusal) => {
                seen.problems.push(format!("drain: {refusal}"));
                self.head()
            }
        };
        let timed_out = !self.drained(self.share_of(timeout)).await;
        // What still runs is put aside; its runners are told to stop by the events of that.
        if let Err(refusal) = self.direct(RuntimeCommand::Checkpoint).await {
            seen.problems.push(format!("checkpoint: {refusal}"));
        }
        self.shared.dispatch.close();
        seen.engines = self.stop_engines(&mut seen.problems).await;
        if let Some(stopped) = seen.stop_of_modules(self.stop_modules().await) {
            self.record_stops(&stopped).await;
        }
        let observed = self.observed(since).await;
        seen.drain = observed.unwrap_or_else(|error| {
            seen.problems
                .push(format!("reading what was seen: {error}"));
            DrainReport::default()
        });
        let left = self.view(|world| world.state.deliveries.len());
        seen.drain.deliveries_left = left as u64;
        seen.drain.timed_out = timed_out;
        seen.drain.took_ms = self.now().since_ms(began);
        let drain = seen.drain.clone();
        if let Err(refusal) = self.direct(RuntimeCommand::Stop { drain }).await {
            seen.problems.push(format!("last event: {refusal}"));
        } else {
            seen.stopped = true;
        }
        if seen.problems.is_empty()
            && let Err(error) = snapshot(self).await
        {
            seen.problems.push(format!("snapshot: {error}"));
        }
    }

    /// How long the processes that run may take to end.
    fn processes_patience(&self) -> Duration {
        let modules = self.view(|world| world.state.modules.values().any(|m| m.running));
        let part = |runs, patience| if runs { patience } else { Duration::ZERO };
        part(modules, MODULES_PATIENCE) + part(self.engine_runs(), ENGINES_PATIENCE)
    }

    /// Whether an engine has a process.
    fn engine_runs(&self) -> bool {
        self.view(|world| {
            let mut engines = world.state.engines.values();
            engines.any(|engine| engine.process.is_some())
        })
    }

    /// How long turns may take to end. A part of the time is kept for what follows, so that the
    /// whole stays inside it: more where there are processes to stop.
    fn share_of(&self, timeout: Duration) -> Duration {
        let kept = self.processes_patience().min(timeout.mul_f32(0.3));
        timeout.mul_f32(0.9).saturating_sub(kept)
    }

    async fn direct(&self, command: RuntimeCommand) -> Result<Answer, Refusal> {
        self.submit_internal(Command::Runtime(command)).await
    }

    async fn stop_engines(&self, problems: &mut Vec<String>) -> Vec<EngineStopped> {
        let patience = if self.engine_runs() {
            ENGINES_PATIENCE
        } else {
            ENGINES_ALONE_PATIENCE
        };
        let stopping = guarded("stopping the engines", || self.shared.runner.stop());
        match tokio::time::timeout(patience, stopping).await {
            Ok(Ok(engines)) => return engines,
            Ok(Err(panicked)) => problems.push(panicked.to_string()),
            Err(_) => problems.push("stopping the engines took too long".to_owned()),
        }
        Vec::new()
    }

    async fn processes_left(&self, problems: &mut Vec<String>) -> u64 {
        let runner = &self.shared.runner;
        let counted = guarded("counting processes", || async { runner.processes_left() });
        counted.await.unwrap_or_else(|panicked| {
            problems.push(panicked.to_string());
            0
        })
    }

    /// Waits until no turn works and neither a direct call nor an attempt at a delivery is under
    /// way; `false`: the time was over first.
    /// A turn that waits for somebody can't be finished by waiting here, nor can one that never
    /// began in this process.
    async fn drained(&self, patience: Duration) -> bool {
        let mut head = self.tail().subscribe();
        let works = |world: &World| {
            let state = &world.state;
            let mut routes = state.routes.values();
            state.working_total() > 0
                || !state.direct_calls.is_empty()
                || routes.any(|route| !route.attempting.is_empty())
        };
        let quiet = async {
            while self.phase().has_run() && self.view(works) {
                if head.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            biased;
            // The journal failed: nothing ends any longer.
            () = self.closing().cancelled() => true,
            ended = tokio::time::timeout(patience, quiet) => ended.is_ok(),
        }
    }

    /// Counts what the journal says of the drain.
    async fn observed(&self, since: Seq) -> Result<DrainReport, mobkit_store::StoreError> {
        let mut report = DrainReport::default();
        let mut after = since;
        let until = self.head();
        let filter = EventFilter {
            kinds: vec!["turn.*".to_owned()],
            ..EventFilter::default()
        };
        while after < until {
            let query = EventQuery {
                after,
                until,
                filter: filter.clone(),
                limit: PAGE_EVENTS,
                kept: false,
            };
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
