//! Schedules: when they are due, what becomes of each due time, and what a downtime does.

mod calendar;
mod due;

pub use calendar::{Calendar, CalendarError};
pub use due::{COUNTED_MAX, Dropped, Due, LATE_MS_MAX, Look, MADE_UP_MAX, fires};
