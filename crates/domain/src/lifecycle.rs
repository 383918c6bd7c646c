//! The life of a runtime: its phases, and which verb is allowed in which.
//!
//! [`admit`] is the one table that every surface asks before it does anything; [`advance`] is the
//! one way from a phase to the next. A refused verb has changed nothing.

use crate::refusal::{Refusal, RefusalKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// After how many milliseconds a caller should ask again while the runtime starts.
pub const START_RETRY_AFTER_MS: u64 = 1_000;

/// After how many milliseconds a caller should ask again while the runtime drains: another
/// process may have taken over by then.
pub const DRAIN_RETRY_AFTER_MS: u64 = 5_000;

/// The code of every refusal that the phase is the reason of.
pub const NOT_RUNNING: &str = "runtime.not_running";

/// Where a runtime stands in its life.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It recovers, plans and brings up what the mob needs.
    Starting,
    /// It works.
    Running,
    /// It takes nothing more in and brings what runs to an end.
    Draining,
    /// It has ended in order; nothing is open any longer.
    Stopped,
    /// It broke; what it still holds is released by a shutdown.
    Failed,
}

impl Phase {
    /// Every phase, in the order of a life.
    pub const ALL: [Self; 5] = [
        Self::Starting,
        Self::Running,
        Self::Draining,
        Self::Stopped,
        Self::Failed,
    ];

    /// The phase as text, as on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Draining => "draining",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a caller wants of a runtime, as far as its phase matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// List, get, query, stream.
    Read,
    /// Send, ask, spawn, apply, put, trigger and every other change.
    Mutate,
    /// Decide an approval, resolve an unknown tool call.
    Decide,
    /// Cancel a turn or a message.
    Cancel,
    /// Shut the runtime down.
    Shutdown,
}

impl Verb {
    /// Every verb, in the order of the table.
    pub const ALL: [Self; 5] = [
        Self::Read,
        Self::Mutate,
        Self::Decide,
        Self::Cancel,
        Self::Shutdown,
    ];
}

/// What becomes of a verb in a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It is done now.
    Allowed,
    /// It is recorded now. If the turn that it is about has been put aside, the turn sees it when
    /// it goes on, at the next start.
    TakesEffectAtNextStart,
    /// It is refused; nothing has changed.
    Refused(Refusal),
    /// The shutdown waits for the one in progress and returns its report.
    JoinShutdown,
    /// The shutdown ends the start and undoes what it brought up.
    CancelStart,
    /// The shutdown has nothing to do and returns the report of the one that ended.
    ReturnReport,
    /// The shutdown releases whatever the failed runtime still holds.
    ReleaseAll,
}

/// What becomes of `verb` in `phase`. `recovered` says whether the state has been read back from
/// the journal; it matters only while the runtime starts.
pub fn admit(phase: Phase, recovered: bool, verb: Verb) -> Admission {
    match (verb, phase) {
        (Verb::Read | Verb::Decide | Verb::Cancel, Phase::Starting) if recovered => {
            Admission::Allowed
        }
        (Verb::Read, Phase::Running | Phase::Draining | Phase::Failed)
        | (Verb::Mutate | Verb::Decide | Verb::Shutdown, Phase::Running)
        | (Verb::Cancel, Phase::Running | Phase::Draining) => Admission::Allowed,
        (Verb::Decide, Phase::Draining) => Admission::TakesEffectAtNextStart,
        (Verb::Read | Verb::Mutate | Verb::Decide | Verb::Cancel, Phase::Starting) => {
            Admission::Refused(starting())
        }
        (Verb::Mutate, Phase::Draining) => Admission::Refused(draining()),
        (Verb::Read | Verb::Mutate | Verb::Decide | Verb::Cancel, Phase::Stopped) => {
            Admission::Refused(stopped())
        }
        (Verb::Mutate | Verb::Decide | Verb::Cancel, Phase::Failed) => Admission::Refused(failed()),
        (Verb::Shutdown, Phase::Starting) => Admission::CancelStart,
        (Verb::Shutdown, Phase::Draining) => Admission::JoinShutdown,
        (Verb::Shutdown, Phase::Stopped) => Admission::ReturnReport,
        (Verb::Shutdown, Phase::Failed) => Admission::ReleaseAll,
    }
}

fn starting() -> Refusal {
    Refusal::new(RefusalKind::Busy, NOT_RUNNING, "the runtime is starting")
        .hint("try again in a moment")
        .retry_after_ms(START_RETRY_AFTER_MS)
}

fn draining() -> Refusal {
    Refusal::new(
        RefusalKind::Unavailable,
        NOT_RUNNING,
        "the runtime is shutting down",
    )
    .hint("try again when it has been started again")
    .retry_after_ms(DRAIN_RETRY_AFTER_MS)
}

fn stopped() -> Refusal {
    Refusal::new(
        RefusalKind::Unavailable,
        NOT_RUNNING,
        "the runtime has stopped",
    )
    .hint("start it again")
}

fn failed() -> Refusal {
    Refusal::new(
        RefusalKind::Unavailable,
        NOT_RUNNING,
        "the runtime has failed",
    )
    .hint("shut it down, look at its log and start it again")
}

/// What moves a runtime on in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LifecycleEvent {
    /// The start is complete.
    Ready,
    /// A shutdown began; during a start this is its cancellation.
    ShutdownBegan,
    /// The last thing that was open has been closed.
    ShutdownEnded,
    /// Something broke that the runtime can't go on without.
    Broke,
}

/// Something that can't happen in the phase in which the runtime is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} can't happen while the runtime is {phase}")]
pub struct LifecycleError {
    /// The phase; it stays as it is.
    pub phase: Phase,
    /// What was said to have happened.
    pub event: LifecycleEvent,
}

/// The phase after `event`. A cancelled start drains, so that a second shutdown joins the first
/// and gets its report. Nothing leads out of `stopped` and `failed`: the next life is another
/// runtime.
pub fn advance(phase: Phase, event: LifecycleEvent) -> Result<Phase, LifecycleError> {
    match (phase, event) {
        (Phase::Starting, LifecycleEvent::Ready) => Ok(Phase::Running),
        (Phase::Starting | Phase::Running, LifecycleEvent::ShutdownBegan) => Ok(Phase::Draining),
        (Phase::Draining, LifecycleEvent::ShutdownEnded) => Ok(Phase::Stopped),
        (Phase::Starting | Phase::Running | Phase::Draining, LifecycleEvent::Broke) => {
            Ok(Phase::Failed)
        }
        (
            Phase::Running | Phase::Draining | Phase::Stopped | Phase::Failed,
            LifecycleEvent::Ready,
        )
        | (Phase::Draining | Phase::Stopped | Phase::Failed, LifecycleEvent::ShutdownBegan)
        | (
            Phase::Starting | Phase::Running | Phase::Stopped | Phase::Failed,
            LifecycleEvent::ShutdownEnded,
        )
        | (Phase::Stopped | Phase::Failed, LifecycleEvent::Broke) => {
            Err(LifecycleError { phase, event })
        }
    }
}

#[cfg(test)]
mod tests;
