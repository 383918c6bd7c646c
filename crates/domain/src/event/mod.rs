//! Events: the immutable facts of the journal.
//!
//! The vocabulary is closed. A new kind is a variant here, its data beside it, its effect on
//! [`crate::state::State`], a line in `summary.rs` and a golden file.

mod approval;
mod budget;
mod delivery;
mod edge;
mod engine;
mod envelope;
mod error;
mod filter;
mod host;
mod lines;
mod member;
mod message;
mod mob;
mod module;
mod runtime;
mod schedule;
mod session;
mod summary;
mod summary_engine;
mod summary_schedule;
mod task;
mod tool;
mod turn;

pub use approval::{
    ApprovalDecided, ApprovalExpired, ApprovalRequested, Expiry, GrantCreated, GrantRevoked,
    GrantScope, Matter, Verdict,
};
pub use budget::{Amount, BudgetExhausted, BudgetWarned};
pub use delivery::{
    DeliveryAttempted, DeliveryDead, DeliveryDelivered, DeliveryFailed, DeliveryQueued,
    DeliveryReplayed, DeliveryUnknown, RouteDefined, RouteOrigin, RouteRemoved,
};
pub use edge::{EdgeFailed, EdgeOperation, EdgeOrigin, EdgeUnwired, EdgeWired, UnwireReason};
pub use engine::{
    EngineEvent, EngineGap, EngineLog, EngineNext, EngineStarted, EngineStopped, Offers,
};
pub use envelope::{Envelope, KeyUse, NewEvent, Source, SourceError};
pub use error::{AccessDenied, ErrorEvent, ErrorRaised};
pub use filter::{EventFilter, FilterError};
pub use host::{HostLeft, HostRegistered};
pub use lines::LOG_KINDS;
pub use member::{
    Fence, HelperOf, MemberFailed, MemberOrigin, MemberPaused, MemberQuarantined, MemberReset,
    MemberRespawned, MemberResumed, MemberRetired, MemberRetiring, MemberSpawned, MemberUpdated,
    RetireMode,
};
pub use message::{
    MessageAccepted, MessageCancelled, MessageDelivered, MessageExpired, MessageMode,
    MessageRefused, MessageSteered,
};
pub use mob::{
    Cut, MobApplied, MobDefined, MobPaused, MobPlanned, MobReset, MobResumed, MobTrimmed,
};
pub use module::{
    ModuleEvent, ModuleHealthy, ModuleLog, ModuleQuarantined, ModuleRestarting, ModuleStarting,
    ModuleStopped, ModuleStopping, ModuleUnhealthy, StartReason, StopOutcome, ToolChange,
    ToolDefinition,
};
pub use runtime::{
    DrainReport, RuntimeDraining, RuntimeReady, RuntimeRecovered, RuntimeStarted, RuntimeStopped,
};
pub use schedule::{
    Occasion, OccurrenceClaimed, OccurrenceCompleted, OccurrenceDispatched, OccurrenceFailed,
    OccurrenceMissed, OccurrenceSkipped, ScheduleDefined, ScheduleOrigin, SchedulePaused,
    ScheduleRemoved, ScheduleResumed, Started,
};
pub use session::SessionCompacted;
pub use task::{TaskAdded, TaskState, TaskUpdated};
pub use tool::{
    ResolveHow, ToolEffect, ToolFailed, ToolFinished, ToolRefused, ToolResolved, ToolStarted,
    ToolUnknown,
};
pub use turn::{
    ENGINE_LOST, ModelFailed, ModelReplied, RecordedCall, TurnCancelled, TurnCheckpointed,
    TurnCompleted, TurnCorrected, TurnFailed, TurnFailure, TurnResumed, TurnStarted, TurnWaiting,
    WaitingFor,
};

use serde::{Deserialize, Serialize};

macro_rules! events {
    ($($(#[doc = $doc:literal])* $kind:literal $name:ident,)*) => {
        /// One fact, with the data that its kind carries.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", content = "data")]
        pub enum Event {
            $($(#[doc = $doc])* #[serde(rename = $kind)] $name($name),)*
        }

        impl Event {
            /// The kind, `noun.verb`.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $kind,)*
                }
            }
        }

        $(impl From<$name> for Event {
            fn from(data: $name) -> Self {
                Self::$name(data)
            }
        })*

        /// Every kind, in the order of the specification.
        pub const KINDS: &[&str] = &[$($kind,)*];

        /// Every kind with what it means, in the same order.
        pub const MEANINGS: &[(&str, &str)] = &[$(($kind, concat!($($doc),*)),)*];
    };
}

events! {
    /// A process took over the mob.
    "runtime.started" RuntimeStarted,
    /// Start is complete; turns begin.
    "runtime.ready" RuntimeReady,
    /// Shutdown began; no new message is taken.
    "runtime.draining" RuntimeDraining,
    /// The last event of a process.
    "runtime.stopped" RuntimeStopped,
    /// What a start found open.
    "runtime.recovered" RuntimeRecovered,
    /// A definition came into force.
    "mob.defined" MobDefined,
    /// A plan was made and is about to be applied.
    "mob.planned" MobPlanned,
    /// A plan was applied.
    "mob.applied" MobApplied,
    /// All members were retired to start over.
    "mob.reset" MobReset,
    /// The line was stopped.
    "mob.paused" MobPaused,
    /// The line was started again.
    "mob.resumed" MobResumed,
    /// Retention forgets the beginning of the journal.
    "mob.trimmed" MobTrimmed,
    /// A member joined.
    "member.spawned" MemberSpawned,
    /// Something about a member changed in place.
    "member.updated" MemberUpdated,
    /// A member got fresh process state; its session stays.
    "member.respawned" MemberRespawned,
    /// A member started over with an empty session.
    "member.reset" MemberReset,
    /// A member begins no further turn.
    "member.paused" MemberPaused,
    /// A paused, failed or quarantined member works again.
    "member.resumed" MemberResumed,
    /// A member takes no further message.
    "member.retiring" MemberRetiring,
    /// A member has left.
    "member.retired" MemberRetired,
    /// A member could not start or its engine lost it.
    "member.failed" MemberFailed,
    /// A member was put aside since its work kills it.
    "member.quarantined" MemberQuarantined,
    /// Two members may message each other.
    "edge.wired" EdgeWired,
    /// Two members may no longer message each other.
    "edge.unwired" EdgeUnwired,
    /// A change of an edge failed.
    "edge.failed" EdgeFailed,
    /// Input for a member is durable.
    "message.accepted" MessageAccepted,
    /// A message became part of a turn.
    "message.delivered" MessageDelivered,
    /// A message joined the turn that ran when it came.
    "message.steered" MessageSteered,
    /// A waiting message was withdrawn.
    "message.cancelled" MessageCancelled,
    /// A waiting message outlived its time.
    "message.expired" MessageExpired,
    /// A member tried to send where it may not.
    "message.refused" MessageRefused,
    /// A turn began.
    "turn.started" TurnStarted,
    /// A turn went on after a restart, a respawn or a wait.
    "turn.resumed" TurnResumed,
    /// A turn waits for somebody.
    "turn.waiting" TurnWaiting,
    /// An answer did not fit its schema, and is asked for once more.
    "turn.corrected" TurnCorrected,
    /// A turn ended with an answer.
    "turn.completed" TurnCompleted,
    /// A turn ended without an answer.
    "turn.failed" TurnFailed,
    /// A turn was stopped.
    "turn.cancelled" TurnCancelled,
    /// A turn was put aside at a step boundary, to go on at the next start.
    "turn.checkpointed" TurnCheckpointed,
    /// A model answered.
    "model.replied" ModelReplied,
    /// An attempt to call a model failed.
    "model.failed" ModelFailed,
    /// The old turns of a session were summarised.
    "session.compacted" SessionCompacted,
    /// A tool call is about to be made.
    "tool.started" ToolStarted,
    /// A tool call gave a result.
    "tool.finished" ToolFinished,
    /// A tool call failed.
    "tool.failed" ToolFailed,
    /// A tool call was not made.
    "tool.refused" ToolRefused,
    /// Nobody can say whether a tool call happened.
    "tool.unknown" ToolUnknown,
    /// An operator said what came of an unknown tool call.
    "tool.resolved" ToolResolved,
    /// A tool call waits for a decision.
    "approval.requested" ApprovalRequested,
    /// Somebody decided an approval.
    "approval.decided" ApprovalDecided,
    /// The time of an approval is over, or there is nothing left to decide.
    "approval.expired" ApprovalExpired,
    /// Calls pass without being asked for again.
    "grant.created" GrantCreated,
    /// A grant was taken back.
    "grant.revoked" GrantRevoked,
    /// A schedule is new, or changed.
    "schedule.defined" ScheduleDefined,
    /// A schedule fires no longer.
    "schedule.paused" SchedulePaused,
    /// A paused schedule fires again.
    "schedule.resumed" ScheduleResumed,
    /// A schedule is forgotten.
    "schedule.removed" ScheduleRemoved,
    /// An occurrence is this process's to run.
    "occurrence.claimed" OccurrenceClaimed,
    /// An occurrence started its work.
    "occurrence.dispatched" OccurrenceDispatched,
    /// What an occurrence started has ended well.
    "occurrence.completed" OccurrenceCompleted,
    /// An occurrence could not be started, or what it started has failed.
    "occurrence.failed" OccurrenceFailed,
    /// An occurrence was not run, as its policy says.
    "occurrence.skipped" OccurrenceSkipped,
    /// Due times passed without being run.
    "occurrence.missed" OccurrenceMissed,
    /// A route is new, changed, or out of use.
    "route.defined" RouteDefined,
    /// A route is forgotten.
    "route.removed" RouteRemoved,
    /// A delivery is durable.
    "delivery.queued" DeliveryQueued,
    /// An attempt is about to be made.
    "delivery.attempted" DeliveryAttempted,
    /// The receiver has it.
    "delivery.delivered" DeliveryDelivered,
    /// An attempt failed; another one follows.
    "delivery.failed" DeliveryFailed,
    /// Nobody can say whether the receiver has it.
    "delivery.unknown" DeliveryUnknown,
    /// It is not tried again by itself.
    "delivery.dead" DeliveryDead,
    /// Somebody sends it again.
    "delivery.replayed" DeliveryReplayed,
    /// A module is being started.
    "module.starting" ModuleStarting,
    /// A module answers.
    "module.healthy" ModuleHealthy,
    /// A module does not answer as it should.
    "module.unhealthy" ModuleUnhealthy,
    /// A module will be started again.
    "module.restarting" ModuleRestarting,
    /// A module is being stopped.
    "module.stopping" ModuleStopping,
    /// A module does not run.
    "module.stopped" ModuleStopped,
    /// A module ended too often.
    "module.quarantined" ModuleQuarantined,
    /// A module says something without being asked.
    "module.event" ModuleEvent,
    /// What a module wrote to its standard error.
    "module.log" ModuleLog,
    /// The process of an external engine answers.
    "engine.started" EngineStarted,
    /// The process of an external engine has ended.
    "engine.stopped" EngineStopped,
    /// What an external engine wrote to its standard error.
    "engine.log" EngineLog,
    /// An external engine's own journal says something.
    "engine.event" EngineEvent,
    /// Some of the events of an external engine were lost.
    "engine.gap" EngineGap,
    /// A host program offers tools over its session.
    "host.registered" HostRegistered,
    /// A host program no longer serves what it had registered.
    "host.left" HostLeft,
    /// A task was put on the list that all members share.
    "task.added" TaskAdded,
    /// A task of the shared list stands elsewhere.
    "task.updated" TaskUpdated,
    /// Most of a budget is used.
    "budget.warned" BudgetWarned,
    /// A budget stopped something.
    "budget.exhausted" BudgetExhausted,
    /// Something went wrong that somebody should see.
    "error.raised" ErrorRaised,
    /// Somebody was not let in.
    "access.denied" AccessDenied,
}

#[cfg(test)]
mod tests;
