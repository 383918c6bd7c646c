//! Recording who was not let in, without letting strangers fill the journal.

use mobkit_domain::command::{Command, RuntimeCommand};
use mobkit_domain::event::AccessDenied;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::time::Time;
use mobkit_engine::{Engine, OnError, OnStop, TaskKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// At most one record in this many milliseconds; each says how many it stands for.
const RECORD_EVERY_MS: u64 = 1_000;
/// Most characters of what was asked for that are recorded.
const OPERATION_CHARS_MAX: usize = 200;
const RECORD: TaskKind = TaskKind {
    name: "access denial",
    on_stop: OnStop::Finish,
    on_error: OnError::Report,
};

#[derive(Debug, Default)]
struct Recent {
    /// When a denial was last recorded.
    last: Option<Time>,
    /// The newest that waits to be recorded; it says how many it stands for.
    pending: Option<AccessDenied>,
}

/// What becomes of a denial.
#[derive(Debug, PartialEq, Eq)]
enum Counted {
    /// It is recorded now.
    Record(AccessDenied),
    /// It waits this many milliseconds, and stands for those that come in the meantime.
    Wait(u64),
    /// It stands with the one that waits.
    Merged,
}

/// The denials of late.
#[derive(Debug, Clone, Default)]
pub(crate) struct Denials {
    recent: Arc<Mutex<Recent>>,
}

impl Denials {
    fn lock(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, now: Time, denied: AccessDenied) -> Counted {
        let mut recent = self.lock();
        if let Some(pending) = &mut recent.pending {
            let more = pending.more + 1;
            *pending = AccessDenied { more, ..denied };
            return Counted::Merged;
        }
        let since = recent.last.map(|last| now.since_ms(last));
        match since.and_then(|ms| RECORD_EVERY_MS.checked_sub(ms)) {
            None | Some(0) => {
                recent.last = Some(now);
                Counted::Record(denied)
            }
            Some(ms) => {
                recent.pending = Some(denied);
                Counted::Wait(ms)
            }
        }
    }

    /// Takes the denial that waits.
    fn take(&self, now: Time) -> Option<AccessDenied> {
        let mut recent = self.lock();
        recent.last = Some(now);
        recent.pending.take()
    }

    /// Records that somebody was refused, if the refusal is about who calls and from where. The
    /// last of a flood is recorded with the number of the others within a second. A crash loses
    /// those that wait.
    pub fn note(
        &self,
        engine: &Engine,
        operation: &str,
        refusal: &Refusal,
        remote: Option<SocketAddr>,
    ) {
        if !matches!(
            refusal.kind,
            RefusalKind::Unauthenticated | RefusalKind::Denied
        ) {
            return;
        }
        let denied = AccessDenied {
            operation: operation.chars().take(OPERATION_CHARS_MAX).collect(),
            code: refusal.code.clone(),
            remote: remote.map(|remote| remote.to_string()),
            more: 0,
        };
        let recorder = engine.clone();
        // The caller is not kept waiting, and a runtime that has stopped records nothing.
        match self.count(engine.now(), denied) {
            Counted::Record(denied) => {
                engine.tasks().spawn(RECORD, record(recorder, denied));
            }
            Counted::Wait(ms) => {
                let denials = self.clone();
                engine.tasks().spawn(RECORD, async move {
                    patient(&recorder, Duration::from_millis(ms)).await;
                    if let Some(denied) = denials.take(recorder.now()) {
                        record(recorder, denied).await;
                    }
                });
            }
            Counted::Merged => {}
        }
    }
}

/// Waits; not beyond the beginning of a stop, after which nothing may be recorded any longer.
async fn patient(engine: &Engine, wait: Duration) {
    let mut phase = engine.phase().subscribe();
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        _ = phase.changed() => {}
        () = engine.tasks().soft().cancelled() => {}
    }
}

async fn record(engine: Engine, denied: AccessDenied) {
    let command = Command::Runtime(RuntimeCommand::Deny(denied));
    if let Err(refusal) = engine.submit_internal(command).await {
        tracing::warn!(%refusal, "a denial could not be recorded");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(code: &str, more: u64) -> AccessDenied {
        AccessDenied {
            operation: "/rpc".to_owned(),
            code: code.to_owned(),
            remote: None,
            more,
        }
    }

    #[test]
    fn a_flood_becomes_one_record_a_second_that_says_how_many() {
        let denials = Denials::default();
        let count = |ms: i64, code: &str| denials.count(Time(ms), denied(code, 0));
        assert_eq!(count(0, "a"), Counted::Record(denied("a", 0)));
        assert_eq!(count(1, "b"), Counted::Wait(999));
        assert_eq!(count(999, "c"), Counted::Merged);
        assert_eq!(denials.take(Time(1_000)), Some(denied("c", 1)));
        assert_eq!(denials.take(Time(1_000)), None);
        assert_eq!(count(1_400, "d"), Counted::Wait(600));
        assert_eq!(denials.take(Time(2_000)), Some(denied("d", 0)));
        assert_eq!(count(5_000, "e"), Counted::Record(denied("e", 0)));
    }
}
