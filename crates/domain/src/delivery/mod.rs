//! Routes and deliveries: where an output goes, how often it is tried, and what is known of it.
//!
//! * Routes: [`route`] defines, converges and removes them, [`resolve`] finds the one that takes a
//!   delivery.
//! * The way of a delivery: [`queue`], [`attempt`], [`ended`] with the pauses of [`ladder`], and
//!   [`dead`].
//! * A dead one comes back by [`replay`]; what a start finds in flight is for [`recover`].

mod attempt;
mod dead;
mod decide;
mod ended;
mod ladder;
mod queue;
mod recover;
mod replay;
mod resolve;
mod route;

pub(crate) use attempt::begin_due;
pub(crate) use decide::decide;
pub(crate) use ended::{CallOutcome, call_ended};
pub(crate) use queue::{Outgoing, queue, queue_for};
pub(crate) use recover::recover;
pub use resolve::{Taker, taker};
pub(crate) use route::{RouteNeed, route_need};
