//! Forgetting what the definition says is kept no longer.
//!
//! One task wakes once an hour. A pass finds how far back the journal is old enough, has the writer
//! decide the cut, and lets the store carry it out beside the writer. The event of the cut is the
//! intent: a process that dies in the middle leaves it to the next one, whose first pass begins with
//! it.

use crate::engine::Engine;
use crate::hooks::told_up_to;
use crate::recover::snapshot;
use crate::tasks::{OnError, OnStop, TaskKind};
use mobkit_domain::command::Command;
use mobkit_domain::event::{Cut, MobTrimmed};
use mobkit_domain::id::Seq;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::retention::{PASS_MS, command, horizon};
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

/// Starts the task; it ends with the others.
pub(crate) fn spawn_retention(engine: &Engine) {
    let engine = engine.clone();
    let tasks = engine.tasks().clone();
    tasks.spawn(RETENTION, async move {
        loop {
            if let Err(error) = pass(&engine).await {
                tracing::warn!(%error, "not everything was forgotten that should be; trying again later");
            }
            tokio::time::sleep(Duration::from_millis(PASS_MS)).await;
        }
    });
}

/// Forgets what is to be forgotten by now. Does nothing where everything is kept.
async fn pass(engine: &Engine) -> Result<(), PassError> {
    let now = engine.now();
    let retention = engine.view(|world| world.definition.store.retention);
    let wanted = retention.map(|retention| horizon(&retention, now));
    if let Some(wanted) = wanted {
        let wanted = reached(engine, wanted).await?;
        let command = Command::Mob(command(wanted));
        engine.submit_internal(command).await?;
    }
    let (trimmed, keep) = engine.view(|world| {
        let trimmed = world.state.trimmed;
        (trimmed, world.state.sessions_need(trimmed.events.below))
    });
    if trimmed.events == Cut::default() && trimmed.logs == Cut::default() {
        return Ok(());
    }
    let trim = Trim {
        events: trimmed.events,
        logs: trimmed.logs,
        keep,
    };
    engine.store().trim(engine.mob(), trim).await?;
    engine.store().blob_sweep().await?;
    Ok(())
}

/// Finds the positions up to which the journal is old enough. A start must find what it needs:
/// events go only where a snapshot is durable that holds them, and a second one after it.
async fn reached(engine: &Engine, wanted: MobTrimmed) -> Result<MobTrimmed, PassError> {
    let bounds = engine.store().bounds(engine.mob()).await?;
    let mut found = MobTrimmed {
        events: None,
        logs: None,
    };
    if let Some(events) = wanted.events {
        let below = first_since(engine, bounds.oldest, events).await?;
        if below > bounds.oldest {
            let saved = engine.store().snapshot(engine.mob()).await?;
            let saved = saved.map_or(0, |saved| saved.seq);
            if saved < engine.head() {
                snapshot(engine).await?;
            }
            let told = told_up_to(engine).await?;
            let below = below.min(saved + 1).min(told.saturating_add(1));
            found.events = Some(Cut { below, ..events });
        }
    }
    if let Some(logs) = wanted.logs {
        let below = first_since(engine, bounds.oldest, logs).await?;
        found.logs = Some(Cut { below, ..logs });
    }
    Ok(found)
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
        let old = page.events.first().is_none_or(|event| event.time < cut.before);
        if old {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}
