//! The one owner of tasks: every task of the process is spawned here, and none outlives a shutdown.

use futures::FutureExt;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What a stop does to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnStop {
    /// It sees the soft token and ends by itself; the hard token ends it if it does not.
    Finish,
    /// It is dropped at its next await.
    Abort,
}

/// What a panic of a task leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// Whoever spawned it learns of it and decides.
    Report,
    /// The process can't go on: the runtime fails.
    StopProcess,
}

/// What sort of task it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskKind {
    /// Its name, for reports and logs.
    pub name: &'static str,
    /// What a stop does to it.
    pub on_stop: OnStop,
    /// What a panic of it leads to.
    pub on_error: OnError,
}

/// Owns tasks.
#[derive(Clone)]
pub struct Tasks {
    tracker: TaskTracker,
    soft: CancellationToken,
    hard: CancellationToken,
    broken: CancellationToken,
    live: Arc<Mutex<BTreeMap<&'static str, usize>>>,
}

/// Counts a task as live until it is dropped.
struct Live {
    name: &'static str,
    live: Arc<Mutex<BTreeMap<&'static str, usize>>>,
}

impl Drop for Live {
    fn drop(&mut self) {
        let mut live = self
            .live
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(count) = live.get_mut(self.name) {
            *count -= 1;
            if *count == 0 {
                live.remove(self.name);
            }
        }
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl Tasks {
    /// An owner without tasks.
    pub fn new() -> Self {
        Self {
            tracker: TaskTracker::new(),
            soft: CancellationToken::new(),
            hard: CancellationToken::new(),
            broken: CancellationToken::new(),
            live: Arc::default(),
        }
    }

    /// The token that asks tasks to end.
    pub fn soft(&self) -> &CancellationToken {
        &self.soft
    }

    /// Fires when a task that the process can't do without has panicked.
    pub fn broken(&self) -> &CancellationToken {
        &self.broken
    }

    fn count(&self, name: &'static str) -> Live {
        let mut live = self
            .live
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *live.entry(name).or_insert(0) += 1;
        Live {
            name,
            live: Arc::clone(&self.live),
        }
    }

    /// Spawns a task. `None` from the handle means that it panicked or was ended by a stop.
    pub fn spawn<T: Send + 'static>(
        &self,
        kind: TaskKind,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<Option<T>> {
        let live = self.count(kind.name);
        let hard = self.hard.clone();
        let soft = self.soft.clone();
        let broken = self.broken.clone();
        self.tracker.spawn(async move {
            let _live = live;
            let guarded = AssertUnwindSafe(task).catch_unwind();
            let ended = tokio::select! {
                biased;
                () = hard.cancelled() => return None,
                () = soft.cancelled(), if kind.on_stop == OnStop::Abort => return None,
                ended = guarded => ended,
            };
            if ended.is_err() && kind.on_error == OnError::StopProcess {
                tracing::error!(
                    task = kind.name,
                    "a task that the process needs has panicked"
                );
                broken.cancel();
            }
            ended.ok()
        })
    }

    /// Runs a computation that would hold up other tasks on a thread of its own.
    pub async fn compute<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let live = self.count(name);
        let handle = self.tracker.spawn_blocking(move || {
            let _live = live;
            work()
        });
        handle.await.ok()
    }

    /// Spawns what must outlive the owner: the shutdown itself.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that spawns"
    )]
    pub(crate) fn detached(task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    /// Tasks that are alive, by name.
    pub fn live(&self) -> BTreeMap<&'static str, usize> {
        self.live
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }

    /// Ends every task: first asks, then, when `patience` is over, drops them. Returns the names of
    /// those that had to be dropped. One that never comes to an await can't even be dropped: after
    /// the same time again it is left to itself.
    pub async fn stop(&self, patience: std::time::Duration) -> BTreeMap<&'static str, usize> {
        self.soft.cancel();
        self.tracker.close();
        let stubborn = match tokio::time::timeout(patience, self.tracker.wait()).await {
            Ok(()) => BTreeMap::new(),
            Err(_) => self.live(),
        };
        self.hard.cancel();
        // It is among the stubborn already, and there is no third way to end it.
        let _ = tokio::time::timeout(patience, self.tracker.wait()).await;
        stubborn
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const TASK: TaskKind = TaskKind {
        name: "test",
        on_stop: OnStop::Finish,
        on_error: OnError::Report,
    };

    #[tokio::test(start_paused = true)]
    async fn a_task_that_ignores_the_soft_token_is_dropped_and_named() {
        let tasks = Tasks::new();
        tasks.spawn(TASK, std::future::pending::<()>());
        let stubborn = tasks.stop(Duration::from_secs(1)).await;
        assert_eq!(stubborn.get("test"), Some(&1));
        assert!(tasks.live().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_of_a_needed_task_is_seen() {
        let tasks = Tasks::new();
        let kind = TaskKind {
            on_error: OnError::StopProcess,
            ..TASK
        };
        let handle = tasks.spawn(kind, async { panic!("on purpose") });
        let ended: Option<()> = handle.await.expect("joined");
        assert!(ended.is_none());
        assert!(tasks.broken().is_cancelled());
    }
}
