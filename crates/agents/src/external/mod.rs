//! Engines that run whole turns by themselves, such as another agent runtime in a child process.
//!
//! # What an external engine has to provide
//!
//! * **Members.** [`TurnEngine::start_member`] prepares whatever it keeps per member; it is called
//!   again, with the same or a later [`Fence`], after every restart of mobkit and after respawns
//!   and resets. It must be idempotent. A new generation means an empty session.
//! * **Turns.** [`TurnEngine::run_turn`] runs one turn to its end and returns the answer to *that*
//!   turn, correlated by id, never by text. Exactly one turn runs per member.
//! * **Steps.** Every answer of its model is reported through [`TurnPort::step`] before the engine
//!   acts on it, with its own event kept as `original`. It is durable when the call returns.
//! * **Tools.** Each turn says which tools mobkit offers. Their calls are part of the reported
//!   step; mobkit makes them, so edges, gates, effects and audit are the same for every engine.
//!   `step` returns their results, which may take hours where a person has to decide: an engine
//!   whose own callbacks may not wait so long ends its internal turn, and goes on with a new one
//!   once the results are there.
//! * **Cancel.** The future of `run_turn` is dropped when the turn is cancelled; the engine must
//!   stop its own work then ([`TurnPort::cancelled`] fires as well).
//! * **Steering.** An engine that offers it takes messages into a turn that runs, through
//!   [`TurnEngine::steer`]; one that it took is recorded before the turn ends.
//! * **Crash.** After a crash `run_turn` is called again with `resumed` and with what the journal
//!   holds of the turn. The engine compares that with what it recorded itself, reports steps that
//!   are missing, and goes on; it never repeats a step that is recorded. Open calls are awaited by
//!   [`TurnPort::results`].
//! * **Loss.** An engine whose own process ends while mobkit goes on answers the turns it had with
//!   [`EngineError::Lost`]. Each is asked for again with `resumed`, while its calls go on; three
//!   losses in a row without a recorded step quarantine the member. Starts and ends of its process
//!   it reports with `EngineCommand`; when to start it again says
//!   [`restart_at`](mobkit_domain::engine::restart_at).
//! * **Stop.** [`TurnEngine::stop`] ends everything, and says what it saw.
//!
//! What it can't do it says in [`Offers`], and the snapshot of its members shows it.
//!
//! [`Fence`]: mobkit_domain::event::Fence

mod port;
mod runner;
mod seam;
mod steer;

pub use mobkit_domain::event::Offers;
pub use port::TurnPort;
pub use runner::ExternalEngines;
pub use seam::{CallResult, EngineError, MemberStart, SteerInput, TurnEngine, TurnInput};
