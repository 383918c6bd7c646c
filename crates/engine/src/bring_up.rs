//! Bringing a mob up: open, recover, discover, apply, ready. What fails undoes what was brought up.

use crate::engine::{Engine, EngineConfig, SUBMISSIONS_MAX};
use crate::hooks::{guarded, spawn_error_hook, tell_from};
use crate::recover::load;
use crate::retention::spawn_retention;
use crate::tasks::{OnError, OnStop, TaskKind};
use crate::writer::Writer;
use mobkit_domain::command::{Command, RuntimeCommand};
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::refusal::Refusal;
use mobkit_domain::state::State;
use mobkit_domain::world::World;
use mobkit_store::{Opened, StoreError};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::mpsc;

/// Why a mob could not be brought up. Nothing of it runs any longer.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store could not be opened or read.
    #[error("the store can't be used: {0}")]
    Store(#[from] StoreError),
    /// A step of the start was refused.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The pre-spawn hook failed.
    #[error("the pre-spawn hook failed: {0}")]
    Hook(#[from] crate::hooks::HookError),
    /// A shutdown came before the start was complete.
    #[error("the start was cancelled")]
    Cancelled,
}

const WRITER: TaskKind = TaskKind {
    name: "writer",
    on_stop: OnStop::Finish,
    on_error: OnError::StopProcess,
};
const WATCH: TaskKind = TaskKind {
    name: "watch",
    on_stop: OnStop::Abort,
    on_error: OnError::Report,
};

async fn take_over(config: &EngineConfig, mob: &MobId) -> Result<(Opened, State, Seq), StoreError> {
    let store = config.store.as_ref();
    let opened = store.open(mob).await?;
    if config.hooks.on_error.is_some() {
        tell_from(store, mob, opened.head).await?;
    }
    let (state, saved_at) = load(store, mob, opened.head).await?;
    Ok((opened, state, saved_at))
}

impl Engine {
    /// Takes the mob over and reads its journal. Reads are served from here on; everything else
    /// waits for [`Engine::bring_up`].
    pub async fn open(config: EngineConfig) -> Result<Self, StartError> {
        let store = Arc::clone(&config.store);
        let mob = config.definition.id.clone();
        let (opened, state, saved_at) = match take_over(&config, &mob).await {
            Ok(taken) => taken,
            Err(error) => {
                // The reason is the first error; a second one on the way out adds nothing.
                let _ = store.close().await;
                return Err(error.into());
            }
        };
        let world = World {
            state,
            definition: Arc::clone(&config.definition),
            toolbox: Arc::clone(&config.toolbox),
        };
        let (requests, receiver) = mpsc::channel(SUBMISSIONS_MAX);
        let engine = Self::assemble(config, world.clone(), requests);
        engine.shared.epoch.store(opened.epoch, Ordering::Release);
        engine.shared.snapshots.set(saved_at);
        let writer = Writer::new(engine.clone(), world, receiver);
        engine.tasks().spawn(WRITER, writer.run());
        engine.watch_tasks();
        let start = RuntimeCommand::Start {
            version: engine.version().to_owned(),
            epoch: opened.epoch,
            durability: store.durability().as_str().to_owned(),
            rehearsal: engine.is_rehearsal(),
        };
        if let Err(refusal) = engine.submit_internal(Command::Runtime(start)).await {
            engine.shutdown().await;
            return Err(refusal.into());
        }
        engine.phase().recovered();
        spawn_error_hook(&engine);
        Ok(engine)
    }

    /// Brings the mob to what is wanted of it, then lets turns begin. On a failure everything is
    /// taken down again.
    pub async fn bring_up(&self) -> Result<(), StartError> {
        let cancelled = self.shared.start_cancelled.clone();
        let result = tokio::select! {
            biased;
            () = cancelled.cancelled() => Err(StartError::Cancelled),
            result = self.bring_up_steps() => result,
        };
        if result.is_err() {
            // A shutdown that came right after the last step of the start finds a mob that ran.
            if self.phase().has_run() {
                return Ok(());
            }
            self.shutdown().await;
        }
        result
    }

    async fn bring_up_steps(&self) -> Result<(), StartError> {
        let context = match &self.shared.hooks.pre_spawn {
            Some(hook) => guarded("the pre-spawn hook", || hook()).await??,
            None => Value::Null,
        };
        self.apply_first(context, self.shared.force_first).await?;
        self.submit_internal(Command::Runtime(RuntimeCommand::Ready))
            .await?;
        spawn_retention(self);
        Ok(())
    }

    /// A writer or a hook that has panicked leaves nothing that could go on.
    fn watch_tasks(&self) {
        let broken = self.tasks().broken().clone();
        let engine = self.clone();
        self.tasks().spawn(WATCH, async move {
            broken.cancelled().await;
            engine
                .phase()
                .on(mobkit_domain::lifecycle::LifecycleEvent::Broke);
            engine.shared.dispatch.abort_all();
            engine.closing().cancel();
        });
    }
}
