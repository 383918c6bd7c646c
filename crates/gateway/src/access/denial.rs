//! Recording who was not let in, without letting strangers fill the journal.

use mobkit_domain::command::{Command, RuntimeCommand};
use mobkit_domain::event::AccessDenied;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::time::Time;
use mobkit_engine::{Engine, OnError, OnStop, TaskKind};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

/// At most one record in this many milliseconds; the next one says how many it stands for.
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
    last: Option<Time>,
    more: u64,
}

/// The denials of late.
#[derive(Debug, Default)]
pub(crate) struct Denials {
    recent: Mutex<Recent>,
}

impl Denials {
    /// Counts a denial. Returns how many were not recorded since the last record, if this one is to
    /// be recorded.
    fn count(&self, now: Time) -> Option<u64> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent
            .last
            .is_some_and(|last| now.since_ms(last) < RECORD_EVERY_MS)
        {
            recent.more += 1;
            return None;
        }
        recent.last = Some(now);
        Some(std::mem::take(&mut recent.more))
    }

    /// Records that somebody was refused, if the refusal is about who calls and from where.
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
        let Some(more) = self.count(engine.now()) else {
            return;
        };
        let denied = AccessDenied {
            operation: operation.chars().take(OPERATION_CHARS_MAX).collect(),
            code: refusal.code.clone(),
            remote: remote.map(|remote| remote.to_string()),
            more,
        };
        let recorder = engine.clone();
        // The caller is not kept waiting, and a runtime that has stopped records nothing.
        engine.tasks().spawn(RECORD, async move {
            let command = Command::Runtime(RuntimeCommand::Deny(denied));
            if let Err(refusal) = recorder.submit_internal(command).await {
                tracing::warn!(%refusal, "a denial could not be recorded");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_becomes_one_record_a_second_that_says_how_many() {
        let denials = Denials::default();
        assert_eq!(denials.count(Time(0)), Some(0));
        assert_eq!(denials.count(Time(1)), None);
        assert_eq!(denials.count(Time(999)), None);
        assert_eq!(denials.count(Time(1_000)), Some(2));
        assert_eq!(denials.count(Time(5_000)), Some(0));
    }
}
