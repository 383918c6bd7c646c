//! The mob file: its types, its parsing, and everything that can be wrong with it.
//!
//! [`parse`] turns text into a [`Definition`] or into all errors at once, each a [`Diagnostic`]
//! that points at the key or value. The TOML is parsed with the places of its values and walked by
//! hand: every subject has a file with its types and its reader. A reader asks its table for keys,
//! and what nobody asked for is an unknown key; so a key is added by asking for it.
//!
//! Types here hold valid, resolved values without places: durations in milliseconds, files read,
//! defaults filled in. They are what the journal stores of a mob.

mod address;
mod check;
mod codes;
mod diagnostic;
mod engine;
mod entry;
mod file;
mod flow;
mod gate;
mod glob;
mod graph;
mod member;
mod mob;
mod model;
mod module;
mod outline;
mod parse;
mod profile;
mod report;
mod retry;
mod route;
mod scalar;
mod scenario;
mod schedule;
mod schema;
mod secret;
mod server;
mod snippet;
mod source;
mod store;
mod suggest;
mod template;
mod tool;
mod trigger;
mod unsupported;
mod wiring;

pub use codes::CODES;
pub use diagnostic::{Diagnostic, Severity};
pub use engine::{Engine, EngineSpec};
pub use entry::{EntryError, route_of, schedule_of, target_of};
pub use flow::{Collect, Dispatch, Flow, RepeatUntil, Step, StepTarget};
pub use gate::{Approver, ApproverError, Gate, GateAction, OnExpiry, Role, Unattended};
pub use member::MemberSpec;
pub use mob::{Defaults, Definition};
pub use model::{Model, Price, Provider};
pub(crate) use module::RESTART as MODULE_RESTART;
pub use module::{
    Module, Network, PathRule, Restart, RestartPolicy, Sandbox, SandboxRequire, Start, Transport,
};
pub use outline::{Key, outline};
pub use parse::{Files, NoFiles, Parsed, parse};
pub use profile::{Budget, Busy, Compaction, IdleRetire, Profile};
pub use retry::{Backoff, Retry};
pub(crate) use route::RETRY as ROUTE_RETRY;
pub use route::{Rate, Route, RouteMatch, Sink};
pub use scenario::{
    Act, Counts, Entry, Expectation, Fault, ModelFault, ModuleAnswer, RouteFault, Ruling, Said,
    Scenario, Subject, parse_scenario,
};
pub use schedule::{Missed, MissedPolicy, Overlap, Schedule, ScheduleTarget};
pub use schema::schema;
pub use secret::{Secret, Setting};
pub use server::{Auth, Server};
pub use store::{Durability, Retention, Store, StoreKind};
pub use suggest::nearest as nearest_name;
pub use tool::{ToolPattern, ToolSelector, ToolSelectorError};
pub use trigger::{Trigger, parse_cron};
pub use unsupported::{Unsupported, unsupported};
pub use wiring::Wiring;
