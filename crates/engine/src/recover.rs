//! State from the journal, and snapshots of it.

use crate::engine::Engine;
use crate::tasks::{OnError, OnStop, TaskKind};
use bytes::Bytes;
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::state::State;
use mobkit_store::{EventQuery, Snapshot, Store, StoreError};
use std::sync::atomic::{AtomicU64, Ordering};

/// After how many events a new snapshot is taken.
pub(crate) const SNAPSHOT_EVENTS: u64 = 10_000;
const PAGE_EVENTS: usize = 4_096;

/// Folds the journal: the newest snapshot, then every event after it. Returns the position of the
/// snapshot too, 0 without one.
pub(crate) async fn load(
    store: &dyn Store,
    mob: &MobId,
    head: Seq,
) -> Result<(State, Seq), StoreError> {
    let snapshot = store
        .snapshot(mob)
        .await?
        .filter(|snapshot| snapshot.seq <= head);
    // A snapshot that this version can't read, or that is not what it says, costs time, not data.
    let saved = snapshot.and_then(|snapshot| {
        let state = serde_json::from_slice::<State>(&snapshot.body).ok()?;
        (state.head == snapshot.seq && state.mob == *mob).then_some(state)
    });
    let mut state = saved.unwrap_or_else(|| State::of(mob.clone()));
    let saved_at = state.head;
    while state.head < head {
        let query = EventQuery {
            after: state.head,
            until: head,
            limit: PAGE_EVENTS,
            ..EventQuery::default()
        };
        let page = store.events(mob, query).await?;
        for envelope in &page.events {
            if envelope.seq != state.head + 1 {
                return Err(StoreError::Damaged {
                    what: format!("journal of {mob}"),
                    detail: format!("event {} follows event {}", envelope.seq, state.head),
                });
            }
            state.apply(envelope);
        }
        if page.events.is_empty() {
            return Err(StoreError::Damaged {
                what: format!("journal of {mob}"),
                detail: format!("it ends at {} instead of {head}", state.head),
            });
        }
    }
    Ok((state, saved_at))
}

/// Position of the last snapshot that was asked for.
#[derive(Default)]
pub(crate) struct SnapshotMark(AtomicU64);

impl SnapshotMark {
    fn claim(&self, head: Seq) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        head >= last + SNAPSHOT_EVENTS && {
            self.0.store(head, Ordering::Relaxed);
            true
        }
    }

    pub(crate) fn set(&self, head: Seq) {
        self.0.store(head, Ordering::Relaxed);
    }
}

const SNAPSHOT: TaskKind = TaskKind {
    name: "snapshot",
    on_stop: OnStop::Finish,
    on_error: OnError::Report,
};

/// Takes a snapshot beside the writer if enough has happened since the last one.
pub(crate) fn snapshot_if_due(engine: &Engine) {
    if !engine.shared.snapshots.claim(engine.head()) {
        return;
    }
    let engine = engine.clone();
    let tasks = engine.tasks().clone();
    tasks.spawn(SNAPSHOT, async move {
        if let Err(error) = snapshot(&engine).await {
            tracing::warn!(%error, "no snapshot could be taken; the next start takes longer");
        }
    });
}

/// Saves the state of the last durable event.
pub(crate) async fn snapshot(engine: &Engine) -> Result<(), StoreError> {
    let state = engine.view(|world| world.state.clone());
    let seq = state.head;
    let body = engine
        .tasks()
        .compute("snapshot body", move || serde_json::to_vec(&state))
        .await;
    match body {
        Some(Ok(body)) => {
            let body = Bytes::from(body);
            engine
                .store()
                .snapshot_put(engine.mob(), Snapshot { seq, body })
                .await
        }
        _ => Err(StoreError::Backend {
            action: "taking a snapshot",
            detail: "the state could not be written out".to_owned(),
        }),
    }
}
