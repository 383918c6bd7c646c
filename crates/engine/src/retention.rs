//! Forgetting what the definition says is kept no longer.
//!
//! One task wakes once an hour. A pass finds how far back the journal is old enough, has the writer
//! decide the cut, and lets the store carry it out beside the writer. The event of the cut is the
//! intent: a process that dies in the middle leaves it to the next one, whose first pass begins
//! with it.

use crate::engine::Engine;
use crate::hooks::told_up_to;
use crate::recover::snapshot;
use crate::tasks::{OnError, OnStop, TaskKind};
use mobkit_domain::command::Command;
use mobkit_domain::event::{Cut, MobTrimmed};
use mobkit_domain::id::Seq;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::retention::{PASS_MS, command, horizon, worthwhile};
use mobkit_store::{EventQuery, StoreError, Trim};
use std::time::Duration;

const RETENTION: TaskKind = TaskKind {
    name: "retention",
    on_stop: OnStop::Abort,
    on_error: OnError::Report,
};

/// Why a pass could not be made. What it did stays done, and the next one does the rest.
#[derive(Debug, thiserror::Error)]
enum PassError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Starts the task, where anything is ever forgotten; it ends with the others.
pub(crate) fn spawn_retention(engine: &Engine) {
    if engine.view(|world| world.definition.store.retention.is_none()) {
        return;
    }
    let engine = engine.clone();
    let tasks = engine.tasks().clone();
    tasks.spawn(RETENTION, async move {
        // What the process before this one left undone, if it did.
        let mut owed = Owed {
            trim: true,
            sweep: true,
        };
        loop {
            if let Err(error) = pass(&engine, &mut owed).await {
                tracing::warn!(%error, "what should be forgotten is not; trying again later");
            }
            tokio::time::sleep(Duration::from_millis(PASS_MS)).await;
        }
    });
}

/// What the store has still to do for a cut.
struct Owed {
    trim: bool,
    /// Blobs go at the second sweep at which nothing refers to them.
    sweep: bool,
}

/// Forgets what is to be forgotten by now.
async fn pass(engine: &Engine, owed: &mut Owed) -> Result<(), PassError> {
    let now = engine.now();
    let retention = engine.view(|world| world.definition.store.retention);
    if let Some(retention) = retention {
        let old = old(engine, horizon(&retention, now)).await?;
        let wanted = engine.view(|world| worthwhile(&world.state, &old, now));
        if wanted.events.is_some() || wanted.logs.is_some() {
            let safe = safe(engine, wanted).await?;
            let before = engine.view(|world| world.state.trimmed);
            engine.submit_internal(Command::Mob(command(safe))).await?;
            owed.trim |= engine.view(|world| world.state.trimmed) != before;
        }
    }
    if owed.trim {
        let (trimmed, keep) = engine.view(|world| {
            let trimmed = world.state.trimmed;
            (trimmed, world.state.sessions_need(trimmed.events.below))
        });
        let (events, logs) = (trimmed.events, trimmed.logs);
        let trim = Trim { events, logs, keep };
        engine.store().trim(engine.mob(), trim).await?;
        engine.store().blob_sweep().await?;
        *owed = Owed {
            trim: false,
            sweep: true,
        };
    } else if owed.sweep {
        engine.store().blob_sweep().await?;
        owed.sweep = false;
    }
    Ok(())
}

/// Finds the positions up to which the journal is old enough.
async fn old(engine: &Engine, horizon: MobTrimmed) -> Result<MobTrimmed, StoreError> {
    let bounds = engine.store().bounds(engine.mob()).await?;
    let mut old = horizon;
    for cut in [&mut old.events, &mut old.logs].into_iter().flatten() {
        cut.below = first_since(engine, bounds.oldest, *cut).await?;
    }
    Ok(old)
}

/// Leaves what a start needs: events go only where a snapshot is durable that holds them, and a
/// second one after it. And it leaves what somebody outside has still to be told.
async fn safe(engine: &Engine, mut wanted: MobTrimmed) -> Result<MobTrimmed, PassError> {
    if let Some(events) = &mut wanted.events {
        let saved = engine.store().snapshot(engine.mob()).await?;
        let saved = saved.map_or(0, |saved| saved.seq);
        if saved < engine.head() {
            snapshot(engine).await?;
        }
        let told = told_up_to(engine).await?;
        events.below = events.below.min(saved + 1).min(told.saturating_add(1));
    }
    Ok(wanted)
}

/// The first position from `oldest` on that is not older than the cut; `head + 1` where all are.
/// Looks at few events, as times rise along a journal; where a clock was set back, the store stops
/// at the first event that is young.
async fn first_since(engine: &Engine, oldest: Seq, cut: Cut) -> Result<Seq, StoreError> {
    let (mut low, mut high) = (oldest, engine.head() + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let query = EventQuery {
            after: middle - 1,
            until: middle,
            limit: 1,
            ..EventQuery::default()
        };
        let page = engine.store().events(engine.mob(), query).await?;
        let old = page
            .events
            .first()
            .is_none_or(|event| event.time < cut.before);
        if old {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}
