//! mobkit, the library: run a mob of agents inside your own program.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use mobkit::{Access, MobBuilder, MobFile};
//!
//! let file = MobFile::read("mob.toml")?;
//! let mob = MobBuilder::of_file(file).state_dir(".mobkit").start().await?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:7373").await?;
//! let access = Access::operator_token("a long random token");
//! let ended = mob.run(listener, access, std::future::pending()).await;
//! # Ok(()) }
//! ```
//!
//! Duty: composition. Which store, which runners, which surfaces; hooks of the host; serve, run and
//! shut down. Events flow and schedules fire without a pump, a poll or a periodic call of the host.
//!
//! Invariants:
//! * a failed start leaves no task and no child process behind.
//! * a part of a mob file that nothing here can run is refused at the start, by name.
//!
//! The commonest change is a new runner: add it to `runner.rs` and take its part out of
//! `definition::unsupported`.

mod builder;
mod connections;
mod deliveries;
mod file;
mod hosted;
mod meerkat;
mod mob;
mod models;
mod rehearsal;
pub mod rehearse;
mod runner;
mod secrets;
mod tool;

pub use builder::{BuildError, MobBuilder};
pub use file::{FileError, MobFile};
pub use meerkat::{FoundMeerkat, find_meerkat};
pub use mob::{Mob, RunReport};
pub use models::ModelError;
pub use secrets::{Variables, find_secret};
pub use tool::{HostCall, HostTool};

pub use mobkit_agents::external::{
    CallResult, EngineError, MemberStart, Offers, SteerInput, TurnEngine, TurnInput, TurnPort,
};
pub use mobkit_agents::model::{
    Item, ModelEvent, ModelEvents, ModelProvider, ModelRequest, Script,
};
pub use mobkit_domain::tool::ToolSpec;
pub use mobkit_domain::{
    code, command, definition, edge, effect, event, id, lifecycle, model, plan, principal, refusal,
    row, schedule, state, text, time,
};
pub use mobkit_engine::{
    ApplyOptions, CallOutcome, Claim, ClaimOutcome, Clock, CursorError, DefinitionError,
    DefinitionSource, Delta, DeltaKind, Discovery, EdgeDiscovery, EffectPort, Engine,
    EngineStopped, EventReader, HookError, ModuleStopped, Outcome, PlanView, Published,
    RediscoverMode, Runner, ScheduleDispatchReport, ShutdownReport, StartError, SystemClock,
    TokioClock, unstash,
};
pub use mobkit_gateway::{Access, ConnectionHold, OwnerSignals, SessionEnd, StartParts, router};
pub use mobkit_store::{
    Bounds, Death, Durability, MemoryStore, SqliteStore, Store, StoreError, Tap, Verification,
    archive, state_dir_holder, verify_state_dir,
};
