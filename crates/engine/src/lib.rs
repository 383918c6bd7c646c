//! The engine: one writer per mob, and everything that hangs on it.
//!
//! Duty: take commands in, decide them in order, make the events durable, publish them, dispatch
//! what they ask for, and bring a mob up and down. It owns every task of the process.
//!
//! Invariants:
//! * nothing else writes state; a caller is answered only after the batch is durable.
//! * a reader sees durable events only, in order, and never slows the writer.
//! * readers of state see the state of the last durable event.
//! * the process sleeps when nobody asks for anything and nothing is due.
//!
//! The commonest change is a new runner: implement [`Runner`] in its crate and add it where the
//! library composes the engine.

mod apply;
mod bring_up;
mod clock;
mod delta;
mod direct_call;
mod dispatch;
mod elicitation;
mod engine;
mod hooks;
mod hosts;
mod journal;
mod module_stop;
mod outcome;
mod phase;
mod publish;
mod reader;
mod recover;
mod retention;
mod schedule_tick;
mod shutdown;
mod stash;
mod tail;
mod tally;
mod tasks;
mod timers;
mod writer;

pub use apply::{ApplyOptions, PlanView, RediscoverMode};
pub use bring_up::StartError;
pub use clock::{Clock, SystemClock, TokioClock};
pub use delta::{DELTAS_MAX, Delta, DeltaKind};
pub use dispatch::{EffectPort, EngineStopped, Runner};
pub use engine::{Engine, EngineConfig, SUBMISSIONS_MAX};
pub use hooks::{
    DefinitionError, DefinitionSource, Discovery, EdgeDiscovery, ErrorHook, HookError, Hooks,
    PostReconcile, PostSpawn, PreSpawn,
};
pub use hosts::{HostFailure, HostLine, HostPieces, Hosts};
pub use module_stop::ModuleStopped;
pub use outcome::{CallOutcome, Outcome, end_of_call};
pub use phase::PhaseWatch;
pub use reader::{CursorError, EventReader};
pub use schedule_tick::{Claim, ClaimOutcome, ScheduleDispatchReport};
pub use shutdown::{DRAIN_TIMEOUT_MS, ShutdownReport};
pub use stash::{stash_text, stash_value, unstash, unstash_value};
pub use tail::{Published, TAIL_BYTES_MAX, TAIL_EVENTS_MAX};
pub use tally::{COMMIT_BUCKETS_S, Commits, Counts, ModelUse};
pub use tasks::{OnError, OnStop, TaskKind, Tasks};
