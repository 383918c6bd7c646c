//! The pure core of mobkit: what a mob is, what may happen in it, and what follows from what
//! happened.
//!
//! Duty: ids, the mob file, commands, events, effects, the state machines of members, messages,
//! turns, edges, approvals, modules, schedules and deliveries, and the planners. Nothing here does
//! IO, reads a clock or draws a random number; time and everything from outside arrive as
//! arguments.
//!
//! Invariants:
//! * `decide` never changes state; `apply` cannot fail, since the journal is already true.
//! * ids are derived from journal positions, so that the same commands give the same journal.
//! * every stored event variant has a golden file in `tests/it/golden/`.
//!
//! The commonest change is a new thing that can happen: add the variant to [`event::Event`], its
//! effect on state in `state`, the rule that emits it in the machine that owns it, and a golden
//! file.

mod approval;
pub mod canonical;
pub mod code;
pub mod command;
pub mod cost;
pub mod definition;
pub mod delivery;
mod draft;
pub mod edge;
pub mod effect;
pub mod engine;
pub mod event;
mod host;
pub mod id;
pub mod lifecycle;
mod member;
mod message;
mod mob;
pub mod model;
mod module;
pub mod plan;
pub mod principal;
pub mod projection;
mod projection_delivery;
mod projection_schedule;
pub mod public_address;
pub mod refusal;
pub mod retention;
pub mod row;
mod runtime;
pub mod schedule;
pub mod state;
pub mod text;
pub mod time;
pub mod tool;
pub mod turn;
pub mod world;

pub use draft::Decision;
