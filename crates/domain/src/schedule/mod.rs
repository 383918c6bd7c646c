//! Schedules: when they are due, what becomes of each due time, and what a downtime does.
//!
//! [`Look`] is the one planner: it says which due times are run and which are dropped, for the
//! timer, for previews and for hosts that own time. `fire` turns that into events, `dispatch`
//! starts the work of an occurrence in the same decision as its claim, `retry` tries again what
//! could not be started, and `end` records what came of it.

mod by_hand;
mod calendar;
mod check;
mod decide;
mod dispatch;
mod due;
mod end;
mod fire;
mod message;
mod pause;
mod put;
mod retry;
mod tick;

pub use calendar::{Calendar, CalendarError};
pub use check::target_problem;
pub(crate) use decide::decide;
pub use due::{COUNTED_MAX, Dropped, Due, LATE_MS_MAX, Look, MADE_UP_MAX, fires};
pub(crate) use end::{call_ended, delivery_ended, message_ended};
pub(crate) use fire::due;
pub(crate) use message::template_problem;
pub(crate) use put::{Need, need, put, remove_of};
