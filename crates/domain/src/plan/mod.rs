//! Planning: what has to be done so that the mob becomes what is wanted.
//!
//! A plan is a pure difference between the desired state (the mob file and discovery) and the
//! actual one. Planning changes nothing; the same worlds give the same plan with the same digest,
//! so an apply that names a digest is refused once the world has moved on.
//!
//! * [`roster_plan`]: who is spawned, retained, updated, respawned, retired.
//! * [`edge_plan`]: who may message whom; [`static_edges`] and [`discovered_edges`] make its
//!   input.
//! * [`module_plan`]: which modules are started, stopped and replaced.
//! * [`route_plan`]: which routes are defined and which are forgotten.
//! * [`schedule_plan`]: which schedules are defined and which are forgotten.
//! * [`Plan`]: all of it, with the digest, the guard against mass removal and the steps for people.
//! * [`ApplyReport`], [`EdgeReport`]: what came of it, as it was seen.
//!
//! The edges of a plan are computed for the roster that the plan leads to
//! ([`RosterPlan::after`]). Who applies a plan computes them again once the roster steps are
//! done, for the members that are really there by then.

mod edges;
mod mob;
mod module;
mod problem;
mod report;
mod roster;
mod route;
mod schedule;
mod step;
mod wiring;

pub use edges::{EdgePlan, EdgeStep, EdgeWorld, edge_plan};
pub use mob::{Plan, mass_removal};
pub use module::{ModulePlan, ModuleStep, module_plan};
pub use problem::{RosterError, RosterProblem};
pub use report::{ApplyReport, EdgeFailure, EdgeReport, Failure};
pub use roster::{
    Actual, Desired, Known, Presence, Respawn, Retain, Retire, RosterPlan, Spawn, Update,
    roster_plan,
};
pub use route::{RoutePlan, RouteStep, route_plan};
pub use schedule::{SchedulePlan, ScheduleStep, schedule_plan};
pub use step::{Operation, PlanStep, Survives};
pub use wiring::{EdgeError, discovered_edges, static_edges};
