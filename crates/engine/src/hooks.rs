//! What a host of the library can plug in.

use crate::engine::Engine;
use crate::hosts::Hosts;
use crate::reader::EventReader;
use crate::tasks::{OnError, OnStop, TaskKind};
use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use mobkit_domain::definition::{Definition, Diagnostic, MemberSpec};
use mobkit_domain::event::{ErrorEvent, Event, EventFilter};
use mobkit_domain::id::{MemberId, MobId, Seq};
use mobkit_domain::plan::ApplyReport;
use mobkit_store::{EventQuery, Store, StoreError};
use serde_json::Value;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

/// Why a hook could not do its work. Nothing of the mob has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HookError(pub String);

/// Says which members should exist, beside those of the mob file.
///
/// It is asked while a plan is made, and one plan is made at a time: from inside it, planning,
/// applying and rediscovering would wait for themselves.
#[async_trait]
pub trait Discovery: Send + Sync + 'static {
    /// The members. `context` is the value of the pre-spawn hook at the first call, else null.
    ///
    /// An error changes nothing; so does an answer that would retire more than half of the members,
    /// unless it is forced.
    async fn discover(&self, context: Value) -> Result<Vec<MemberSpec>, HookError>;
}

/// Says which edges should exist, beside those of the mob file. What [`Discovery`] says of planning
/// from inside holds here as well.
#[async_trait]
pub trait EdgeDiscovery: Send + Sync + 'static {
    /// The edges for these members. An error changes nothing.
    async fn edges(&self, members: &[MemberId]) -> Result<Vec<(MemberId, MemberId)>, HookError>;
}

/// Why a definition can't be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct DefinitionError {
    /// One line for a person.
    pub message: String,
    /// Everything that is wrong with the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// Where a changed definition is read from, e.g. the mob file.
#[async_trait]
pub trait DefinitionSource: Send + Sync + 'static {
    /// The definition as it is now.
    async fn load(&self) -> Result<Definition, DefinitionError>;
}

/// Runs once, before the first discovery; its value is the context of that.
pub type PreSpawn = Arc<dyn Fn() -> BoxFuture<'static, Result<Value, HookError>> + Send + Sync>;
/// Runs after every batch of spawns of which at least one succeeded, with those that did.
pub type PostSpawn = Arc<dyn Fn(Vec<MemberId>) -> BoxFuture<'static, ()> + Send + Sync>;
/// Runs after every apply, once the next one may begin; it may apply and reconcile itself.
pub type PostReconcile = Arc<dyn Fn(ApplyReport) -> BoxFuture<'static, ()> + Send + Sync>;
/// Gets every error in the order of the journal, from one task. An error that it was not told of
/// when the process ends is told at the next start; one during whose telling the process ends,
/// again. It must not wait for a shutdown, which waits for it.
pub type ErrorHook = Arc<dyn Fn(ErrorEvent) -> BoxFuture<'static, ()> + Send + Sync>;

/// The hooks of a host; all optional.
#[derive(Clone, Default)]
pub struct Hooks {
    /// Which members should exist.
    pub discovery: Option<Arc<dyn Discovery>>,
    /// Which edges should exist.
    pub edge_discovery: Option<Arc<dyn EdgeDiscovery>>,
    /// Before the first discovery.
    pub pre_spawn: Option<PreSpawn>,
    /// After spawns.
    pub post_spawn: Option<PostSpawn>,
    /// After an apply.
    pub post_reconcile: Option<PostReconcile>,
    /// On errors.
    pub on_error: Option<ErrorHook>,
    /// Programs that register what the mob calls over their sessions.
    pub hosts: Hosts,
    /// A journal failure can't be recorded; it waits here for the task of the error hook.
    unrecorded: Arc<Mutex<Vec<ErrorEvent>>>,
}

impl Hooks {
    pub(crate) fn journal_failed(&self, error: ErrorEvent) {
        self.unrecorded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(error);
    }

    fn take_unrecorded(&self) -> Vec<ErrorEvent> {
        std::mem::take(
            &mut *self
                .unrecorded
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

/// The name under which the error hook's position is kept: an error that the host has not seen when
/// the process ends is told at the next start.
const CONSUMER: &str = "on_error";
const PAGE_EVENTS: usize = 64;
const ON_ERROR: TaskKind = TaskKind {
    name: "error hook",
    on_stop: OnStop::Finish,
    on_error: OnError::StopProcess,
};

/// Runs what a host plugged in. If that panics it has failed, and the mob goes on.
pub(crate) async fn guarded<T, F>(what: &str, call: impl FnOnce() -> F) -> Result<T, HookError>
where
    F: Future<Output = T>,
{
    let called = AssertUnwindSafe(async { call().await })
        .catch_unwind()
        .await;
    called.map_err(|_| HookError(format!("{what} has panicked; the log says where")))
}

/// Notes from where a host is told of errors: one that never had the hook is not told of what was
/// before it, and from here on nothing is forgotten, whenever the process ends.
pub(crate) async fn tell_from(store: &dyn Store, mob: &MobId, head: Seq) -> Result<(), StoreError> {
    match store.cursor(mob, CONSUMER).await? {
        Some(_) => Ok(()),
        None => store.cursor_put(mob, CONSUMER, head).await,
    }
}

/// Up to which position everybody outside has been told who must be; the highest one where nobody
/// follows.
pub(crate) async fn told_up_to(engine: &Engine) -> Result<Seq, StoreError> {
    if engine.shared.hooks.on_error.is_none() {
        return Ok(Seq::MAX);
    }
    let told = engine.store().cursor(engine.mob(), CONSUMER).await?;
    // The position is noted after an error only; up to the next one nothing has to be told.
    let next = EventQuery {
        after: told.unwrap_or(0),
        filter: errors(),
        limit: 1,
        ..EventQuery::default()
    };
    let next = engine.store().events(engine.mob(), next).await?;
    let next = next.events.first();
    Ok(next.map_or(Seq::MAX, |error| error.seq - 1))
}

/// Follows the journal and tells the host of every error, in order.
pub(crate) fn spawn_error_hook(engine: &Engine) {
    let Some(hook) = engine.shared.hooks.on_error.clone() else {
        return;
    };
    let engine = engine.clone();
    let tasks = engine.tasks().clone();
    tasks.spawn(ON_ERROR, async move {
        if let Err(error) = follow(&engine, &hook).await {
            tracing::error!(%error, "the error hook can't follow the journal");
        }
        for error in engine.shared.hooks.take_unrecorded() {
            tell(&hook, error).await;
        }
    });
}

async fn tell(hook: &ErrorHook, error: ErrorEvent) {
    if let Err(panicked) = guarded("the error hook", || hook(error)).await {
        tracing::error!("{panicked}");
    }
}

/// What a host is told of.
fn errors() -> EventFilter {
    EventFilter {
        kinds: vec!["error.raised".to_owned()],
        ..EventFilter::default()
    }
}

async fn follow(engine: &Engine, hook: &ErrorHook) -> Result<(), crate::reader::CursorError> {
    let mob = engine.mob();
    let bounds = engine.store().bounds(mob).await?;
    let told = engine.store().cursor(mob, CONSUMER).await?.unwrap_or(0);
    let after = told.max(bounds.oldest.saturating_sub(1)).min(bounds.head);
    let mut reader = EventReader::open(engine, after, errors()).await?;
    while let Some(events) = reader.next(PAGE_EVENTS).await? {
        for event in events {
            if let Event::ErrorRaised(raised) = &event.envelope.event {
                tell(hook, raised.error.clone()).await;
            }
            let noted = engine
                .store()
                .cursor_put(mob, CONSUMER, event.envelope.seq)
                .await;
            if let Err(error) = noted {
                // The host may be told again at the next start; not being told would be worse.
                tracing::warn!(%error, "that the host was told of an error can't be noted");
            }
        }
    }
    Ok(())
}
