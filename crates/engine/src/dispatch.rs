//! Effects on their way to runners.
//!
//! At least once: an effect begins only after the event that wants it is durable, and whatever is
//! still open at a start begins again. A runner gets the same turn, step, attempt and call id each
//! time; an outcome that comes twice or too late is refused by the writer.
//!
//! One effect at a time works for a turn, a call, a member or a module. A later one takes the place
//! of the earlier, whose future is dropped, and begins once that is gone: the stop of a module
//! finds nobody at work on its start.

use crate::engine::Engine;
use crate::module_stop::ModuleStopped;
use crate::tasks::{OnError, OnStop, TaskKind};
use async_trait::async_trait;
use mobkit_domain::command::{
    AttemptOutcome, Command, DeliveryCommand, Ended, MemberCommand, ModuleCommand, ToolOutcome,
    TurnCommand,
};
use mobkit_domain::effect::Effect;
use mobkit_domain::event::Offers;
use mobkit_domain::id::{CallId, DeliveryId, MemberId, ModuleId, Seq, TurnId};
use mobkit_domain::model::{Failure, FailureClass};
use mobkit_domain::turn::RETRY_AFTER_MAX_MS as WAIT_MAX_MS;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What a runner may use while it runs an effect.
#[derive(Clone)]
pub struct EffectPort {
    /// The mob.
    pub engine: Engine,
    /// Fires when the effect is no longer wanted. The runner's future is dropped then as well.
    pub cancelled: CancellationToken,
}

/// What came of stopping an external engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EngineStopped {
    /// The engine.
    pub engine: String,
    /// What was observed.
    pub result: String,
}

/// Runs effects. Holds no state of the mob; what it learns goes back as a command.
#[async_trait]
pub trait Runner: Send + Sync + 'static {
    /// Runs an effect and returns what came of it; `None` where there is nothing to record.
    ///
    /// Never called for [`Effect::Abort`]. The future is dropped when the effect is aborted, and
    /// nothing is recorded of it then. If it panics, the effect has failed; of a tool call nobody
    /// can say whether it happened.
    async fn run(&self, effect: Effect, port: EffectPort) -> Option<Command>;

    /// Ends everything that outlives single effects, but for modules.
    async fn stop(&self) -> Vec<EngineStopped> {
        Vec::new()
    }

    /// Ends every module that runs, and says how. A start that was in flight has been dropped by
    /// then, and a [`Effect::ModuleStop`] in flight may be at work on the same module; whoever
    /// reports it, it is recorded once.
    async fn stop_modules(&self) -> Vec<ModuleStopped> {
        Vec::new()
    }

    /// How many processes that it started are still there, their own children included; asked once
    /// everything was stopped. Other children of the host are not counted.
    fn processes_left(&self) -> u64 {
        0
    }
}

/// What runs for what; a later effect of the same slot replaces the earlier one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Turn(TurnId),
    Steer(TurnId),
    Call(Option<TurnId>, CallId),
    Member(MemberId),
    Module(ModuleId),
    Delivery(DeliveryId),
}

fn slot(effect: &Effect) -> Slot {
    match effect {
        Effect::ModelCall { at, .. } => Slot::Turn(at.turn),
        Effect::EngineTurn { turn, .. } | Effect::Abort { turn } => Slot::Turn(*turn),
        Effect::EngineSteer { turn, .. } => Slot::Steer(*turn),
        Effect::ToolCall { turn, call, .. } => Slot::Call(*turn, *call),
        Effect::EngineStart { member, .. } | Effect::EngineStop { member } => {
            Slot::Member(member.clone())
        }
        Effect::ModuleStart { module, .. } | Effect::ModuleStop { module, .. } => {
            Slot::Module(module.clone())
        }
        Effect::DeliveryAttempt { delivery, .. } => Slot::Delivery(*delivery),
    }
}

/// An effect that runs.
#[derive(Clone)]
struct Running {
    number: u64,
    /// The start whose module it stops, if that is what it does.
    stops: Option<Seq>,
    /// Fires when it is no longer wanted.
    cancelled: CancellationToken,
    /// Fires when its future is gone.
    over: CancellationToken,
    /// Fires when what came of it is recorded, or refused.
    recorded: CancellationToken,
}

impl Running {
    fn of(number: u64, effect: &Effect) -> Self {
        Self {
            number,
            stops: match effect {
                Effect::ModuleStop { start, .. } => Some(*start),
                _ => None,
            },
            cancelled: CancellationToken::new(),
            over: CancellationToken::new(),
            recorded: CancellationToken::new(),
        }
    }

    /// Whether it goes on when it is asked for again: the very same call, or the very same stop.
    fn serves(&self, slot: &Slot, new: &Self) -> bool {
        let same_stop = self.stops.is_some() && self.stops == new.stops;
        matches!(slot, Slot::Call(..)) || (same_stop && !self.over.is_cancelled())
    }
}

/// The effects that run.
#[derive(Default)]
pub(crate) struct Dispatch {
    running: Mutex<BTreeMap<Slot, Running>>,
    counter: AtomicU64,
    /// Whether the process stops: nothing but stops of modules begins any longer.
    closed: AtomicBool,
}

impl Dispatch {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Slot, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the slot, and returns who had it before; `None`: the very same thing runs already.
    fn begin(&self, slot: Slot, effect: &Effect) -> Option<(Running, Option<Running>)> {
        let new = Running::of(self.counter.fetch_add(1, Ordering::Relaxed), effect);
        let mut running = self.lock();
        if new.stops.is_none() && self.closed.load(Ordering::Acquire) {
            return None;
        }
        if running
            .get(&slot)
            .is_some_and(|now| now.serves(&slot, &new))
        {
            return None;
        }
        let earlier = running.insert(slot, new.clone());
        if let Some(earlier) = &earlier {
            earlier.cancelled.cancel();
        }
        Some((new, earlier))
    }

    fn end(&self, slot: &Slot, number: u64) {
        let mut running = self.lock();
        if running.get(slot).is_some_and(|now| now.number == number) {
            running.remove(slot);
        }
    }

    fn abort(&self, turn: TurnId) {
        self.lock().retain(|slot, running| {
            let of_turn = match slot {
                Slot::Turn(of) | Slot::Steer(of) => *of == turn,
                Slot::Call(of, _) => *of == Some(turn),
                Slot::Member(_) | Slot::Module(_) | Slot::Delivery(_) => false,
            };
            if of_turn {
                running.cancelled.cancel();
            }
            !of_turn
        });
    }

    /// Ends everything that runs; nothing is recorded of it.
    pub(crate) fn abort_all(&self) {
        for running in std::mem::take(&mut *self.lock()).into_values() {
            running.cancelled.cancel();
        }
    }

    /// Ends everything but stops of modules, and lets nothing else begin any longer.
    pub(crate) fn close(&self) {
        let mut running = self.lock();
        self.closed.store(true, Ordering::Release);
        running.retain(|slot, running| {
            if running.stops.is_none() {
                running.cancelled.cancel();
            }
            // What works on a module is waited for.
            matches!(slot, Slot::Module(_))
        });
    }

    /// Waits until everything that was begun on modules, and is not wanted any longer, is gone.
    pub(crate) async fn starts_gone(&self) {
        for running in self.on_modules(false) {
            running.over.cancelled().await;
        }
    }

    /// Waits until what came of the stops of modules that run is recorded.
    pub(crate) async fn stops_recorded(&self) {
        for stop in self.on_modules(true) {
            stop.recorded.cancelled().await;
        }
    }

    fn on_modules(&self, stops: bool) -> Vec<Running> {
        let running = self.lock();
        let on_modules = running
            .iter()
            .filter(|(slot, running)| {
                matches!(slot, Slot::Module(_)) && running.stops.is_some() == stops
            })
            .map(|(_, running)| running.clone());
        on_modules.collect()
    }
}

const EFFECT: TaskKind = TaskKind {
    name: "effect",
    on_stop: OnStop::Abort,
    on_error: OnError::Report,
};

/// Begins an effect. Before the runtime is ready nothing begins: the batch that makes it ready
/// carries all that is open by then.
pub(crate) fn dispatch(engine: &Engine, effect: Effect) {
    if let Effect::Abort { turn } = effect {
        engine.shared.dispatch.abort(turn);
        return;
    }
    if !engine.phase().has_run() {
        return;
    }
    begin(engine, effect);
}

fn begin(engine: &Engine, effect: Effect) {
    let slot = slot(&effect);
    let Some((running, earlier)) = engine.shared.dispatch.begin(slot.clone(), &effect) else {
        return;
    };
    let cancelled = running.cancelled.clone();
    let over = running.over.clone().drop_guard();
    let port = EffectPort {
        engine: engine.clone(),
        cancelled: cancelled.clone(),
    };
    let lost = effect.clone();
    let work = work(effect, port);
    let guarded = engine.tasks().spawn(EFFECT, async move {
        let _over = over;
        if let Some(earlier) = earlier {
            earlier.over.cancelled().await;
        }
        tokio::select! {
            biased;
            () = cancelled.cancelled() => None,
            outcome = work => Some(outcome),
        }
    });
    let kind = TaskKind {
        name: "effect outcome",
        ..EFFECT
    };
    let engine = engine.clone();
    let tasks = engine.tasks().clone();
    tasks.spawn(kind, async move {
        let command = match guarded.await {
            Ok(Some(Some(outcome))) => outcome,
            // Aborted: nobody wants to know.
            Ok(Some(None)) => None,
            Ok(None) | Err(_) => lost_outcome(&lost),
        };
        if let Some(command) = command
            && let Err(refusal) = engine.submit_internal(command).await
        {
            tracing::debug!(code = refusal.code, "an outcome came too late: {refusal}");
        }
        // Only now: until the outcome is recorded the state still wants the effect.
        engine.shared.dispatch.end(&slot, running.number);
        running.recorded.cancel();
    });
}

async fn work(effect: Effect, port: EffectPort) -> Option<Command> {
    if let Effect::ModelCall { not_before, .. } = &effect {
        // No wait is longer than that; it looks so where the clock was set back.
        let wait_ms = not_before.since_ms(port.engine.now()).min(WAIT_MAX_MS);
        if wait_ms > 0 {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
    }
    let runner = std::sync::Arc::clone(&port.engine.shared.runner);
    runner.run(effect, port).await
}

/// What is recorded when a runner panics. A tool call may have happened all the same.
fn lost_outcome(effect: &Effect) -> Option<Command> {
    let reason = "the runner of this effect has panicked; its log says where".to_owned();
    match effect {
        Effect::ModelCall { at, .. } => {
            let failure = Failure {
                class: FailureClass::Internal,
                reason,
                retry_after_ms: None,
            };
            Some(Command::Turn(TurnCommand::ModelFailed {
                at: *at,
                failure,
                latency_ms: 0,
            }))
        }
        Effect::ToolCall { turn, call, .. } => {
            let outcome = ToolOutcome::Lost(reason);
            Some(Command::Turn(TurnCommand::ToolEnded {
                turn: *turn,
                call: *call,
                outcome,
            }))
        }
        Effect::EngineTurn { turn, fence, .. } => {
            let outcome = Err(reason);
            Some(Command::Turn(TurnCommand::EngineEnded {
                turn: *turn,
                fence: *fence,
                outcome,
            }))
        }
        Effect::EngineStart { member, fence } => {
            let (member, fence, error) = (member.clone(), *fence, Some(reason));
            Some(Command::Member(MemberCommand::EngineStarted {
                member,
                fence,
                offers: Offers::default(),
                error,
            }))
        }
        // Of a stop as well: what is left of its process is killed with the mob at the latest.
        Effect::ModuleStart { module, start } | Effect::ModuleStop { module, start } => {
            Some(Command::Module(ModuleCommand::Ended {
                module: module.clone(),
                start: *start,
                reason,
                ended: Ended::Failure,
            }))
        }
        Effect::DeliveryAttempt { delivery, attempt } => {
            Some(Command::Delivery(DeliveryCommand::Ended {
                delivery: *delivery,
                attempt: *attempt,
                outcome: AttemptOutcome::Unknown { reason },
            }))
        }
        // The message then gets a turn of its own.
        Effect::EngineSteer { .. } | Effect::EngineStop { .. } | Effect::Abort { .. } => None,
    }
}
