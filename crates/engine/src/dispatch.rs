//! Effects on their way to runners.
//!
//! At least once: an effect begins only after the event that wants it is durable, and whatever is
//! still open at a start begins again. A runner gets the same turn, step, attempt and call id each
//! time; an outcome that comes twice or too late is refused by the writer.

use crate::engine::Engine;
use crate::tasks::{OnError, OnStop, TaskKind};
use async_trait::async_trait;
use mobkit_domain::command::{Command, MemberCommand, TurnCommand};
use mobkit_domain::effect::Effect;
use mobkit_domain::id::{CallId, MemberId, TurnId};
use mobkit_domain::model::{Failure, FailureClass};
use mobkit_domain::turn::RETRY_AFTER_MAX_MS as WAIT_MAX_MS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Never called for [`Effect::Abort`]. The future is dropped when the effect is aborted.
    async fn run(&self, effect: Effect, port: EffectPort) -> Option<Command>;

    /// Ends everything that outlives single effects.
    async fn stop(&self) -> Vec<EngineStopped> {
        Vec::new()
    }
}

/// What runs for what; a later effect of the same slot replaces the earlier one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Turn(TurnId),
    Call(TurnId, CallId),
    Member(MemberId),
}

fn slot(effect: &Effect) -> Slot {
    match effect {
        Effect::ModelCall { at, .. } => Slot::Turn(at.turn),
        Effect::EngineTurn { turn, .. } | Effect::Abort { turn } => Slot::Turn(*turn),
        Effect::ToolCall { turn, call, .. } => Slot::Call(*turn, *call),
        Effect::EngineStart { member, .. } | Effect::EngineStop { member } => {
            Slot::Member(member.clone())
        }
    }
}

/// The effects that run.
#[derive(Default)]
pub(crate) struct Dispatch {
    running: Mutex<BTreeMap<Slot, (u64, CancellationToken)>>,
    counter: AtomicU64,
}

impl Dispatch {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Slot, (u64, CancellationToken)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the slot; `None`: the very same call runs already, and is not made twice.
    fn begin(&self, slot: Slot) -> Option<(u64, CancellationToken)> {
        let entry = (
            self.counter.fetch_add(1, Ordering::Relaxed),
            CancellationToken::new(),
        );
        let mut running = self.lock();
        if matches!(slot, Slot::Call(..)) && running.contains_key(&slot) {
            return None;
        }
        if let Some((_, earlier)) = running.insert(slot, entry.clone()) {
            earlier.cancel();
        }
        Some(entry)
    }

    fn end(&self, slot: &Slot, number: u64) {
        let mut running = self.lock();
        if running
            .get(slot)
            .is_some_and(|(current, _)| *current == number)
        {
            running.remove(slot);
        }
    }

    fn abort(&self, turn: TurnId) {
        self.lock().retain(|slot, (_, token)| {
            let of_turn = matches!(slot, Slot::Turn(t) | Slot::Call(t, _) if *t == turn);
            if of_turn {
                token.cancel();
            }
            !of_turn
        });
    }

    /// Ends everything that runs; nothing is recorded of it.
    pub(crate) fn abort_all(&self) {
        for (_, token) in std::mem::take(&mut *self.lock()).into_values() {
            token.cancel();
        }
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
    let Some((number, cancelled)) = engine.shared.dispatch.begin(slot.clone()) else {
        return;
    };
    let port = EffectPort {
        engine: engine.clone(),
        cancelled: cancelled.clone(),
    };
    let engine = engine.clone();
    let watched = engine.clone();
    let lost = effect.clone();
    let work = async move {
        if let Effect::ModelCall { not_before, .. } = &effect {
            // No wait is longer than that; it looks so where the clock was set back.
            let wait_ms = not_before.since_ms(port.engine.now()).min(WAIT_MAX_MS);
            if wait_ms > 0 {
                tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            }
        }
        let runner = std::sync::Arc::clone(&port.engine.shared.runner);
        runner.run(effect, port).await
    };
    let guarded = engine.tasks().spawn(EFFECT, async move {
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
    engine.tasks().spawn(kind, async move {
        let ended = guarded.await;
        let command = match ended {
            Ok(Some(Some(outcome))) => outcome,
            // Aborted: nobody wants to know.
            Ok(Some(None)) => None,
            Ok(None) | Err(_) => lost_outcome(&lost),
        };
        if let Some(command) = command
            && let Err(refusal) = watched.submit_internal(command).await
        {
            tracing::debug!(code = refusal.code, "an outcome came too late: {refusal}");
        }
        // Only now: until the outcome is recorded the state still wants the effect.
        watched.shared.dispatch.end(&slot, number);
    });
}

/// What is recorded when a runner panics.
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
            let outcome = Err(reason);
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
                error,
            }))
        }
        Effect::EngineStop { .. } | Effect::Abort { .. } => None,
    }
}
