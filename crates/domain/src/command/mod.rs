//! Commands: what somebody asks of the writer, and what came of an effect.

mod answer;
mod approval;
mod delivery;
mod edge;
mod engine;
mod host;
mod member;
mod message;
mod mob;
mod module;
mod runtime;
mod schedule;
mod submission;
mod turn;

pub use answer::Answer;
pub use approval::{ApprovalCommand, GrantRequest, GrantScopeRequest};
pub use delivery::{AttemptOutcome, DeliveryCommand};
pub use edge::EdgeCommand;
pub use engine::EngineCommand;
pub use host::HostCommand;
pub use member::MemberCommand;
pub use message::MessageCommand;
pub use mob::MobCommand;
pub use module::{Ended, ModuleCommand};
pub use runtime::RuntimeCommand;
pub use schedule::ScheduleCommand;
pub use submission::{Command, Submission};
pub use turn::{StepRef, Summarised, ToolOutcome, TurnCommand};
