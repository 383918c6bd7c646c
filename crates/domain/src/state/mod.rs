//! The state of a mob: what the journal says, folded.
//!
//! [`State`] holds open work and identities only. Texts, transcripts and ended work stay in the
//! journal and the read tables, so an idle member costs a few hundred bytes.

mod apply;
mod apply_approval;
mod apply_delivery;
mod apply_module;
mod apply_schedule;
mod apply_turn;
mod approval;
mod delivery;
mod engine;
mod host;
mod index;
mod keys;
mod lineage;
mod member;
mod mob;
mod module;
mod pairs;
mod retention;
mod schedule;
mod spent;
mod task;
mod turn;

pub use approval::Approval;
pub use delivery::{
    ATTEMPTS_AT_ONCE_MAX, Delivery, DeliveryStatus, RATE_WINDOW_MS, Route, Waiting,
};
pub use engine::{EngineProcess, EngineState};
pub use host::HostedTool;
pub use keys::{KEY_AGE_MAX_MS, KEYS_MAX, KeyLookup, Keys};
pub use lineage::{HELPER_DEPTH_MAX, HELPERS_MAX, HELPERS_OF_ONE_MAX, Helper, IDLE_RETIRE_MS};
pub use member::{Member, MemberMode, MemberState, Pause, SessionSpan};
pub use mob::{Stage, State};
pub use module::{DirectCall, Module, ModuleStatus};
pub use retention::{Stretch, Trimmed};
pub use schedule::{Occurrence, RemovedSchedule, Schedule};
pub use spent::{Spent, next_day, next_hour};
pub use task::{TASKS_ENDED_MAX, TASKS_OPEN_MAX, Task, Tasks};
pub use turn::{Call, CallState, Message, Pass, Turn, TurnPhase};
