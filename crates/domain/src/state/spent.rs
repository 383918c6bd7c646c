//! What a member used in the windows of time that budgets count: the UTC day and the UTC hour.

use crate::model::Cost;
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// Length of an hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;
/// Length of a day, in milliseconds; days of UTC have no other length here.
const DAY_MS: i64 = 24 * HOUR_MS;

/// What a member used today and in this hour, as of the last event that counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    day: i64,
    cost: Cost,
    day_warned: bool,
    hour: i64,
    turns: u32,
    hour_warned: bool,
}

fn day(at: Time) -> i64 {
    at.0.div_euclid(DAY_MS)
}

fn hour(at: Time) -> i64 {
    at.0.div_euclid(HOUR_MS)
}

/// The beginning of the next UTC day.
pub fn next_day(at: Time) -> Time {
    Time((day(at) + 1).saturating_mul(DAY_MS))
}

/// The beginning of the next UTC hour.
pub fn next_hour(at: Time) -> Time {
    Time((hour(at) + 1).saturating_mul(HOUR_MS))
}

impl Spent {
    /// What the priced calls of the UTC day of `at` cost so far.
    pub fn cost_on_day(&self, at: Time) -> Cost {
        if self.day == day(at) {
            self.cost
        } else {
            Cost::default()
        }
    }

    /// How many turns began in the UTC hour of `at` so far.
    pub fn turns_in_hour(&self, at: Time) -> u32 {
        if self.hour == hour(at) { self.turns } else { 0 }
    }

    /// Whether it was said that the budget of this day is nearly used up.
    pub fn is_warned_of_day(&self, at: Time) -> bool {
        self.day == day(at) && self.day_warned
    }

    /// Whether it was said that the budget of this hour is nearly used up.
    pub fn is_warned_of_hour(&self, at: Time) -> bool {
        self.hour == hour(at) && self.hour_warned
    }

    fn on_day(&mut self, at: Time) {
        if self.day != day(at) {
            (self.day, self.cost, self.day_warned) = (day(at), Cost::default(), false);
        }
    }

    fn in_hour(&mut self, at: Time) {
        if self.hour != hour(at) {
            (self.hour, self.turns, self.hour_warned) = (hour(at), 0, false);
        }
    }

    pub(super) fn pay(&mut self, cost: Cost, at: Time) {
        self.on_day(at);
        self.cost += cost;
    }

    pub(super) fn begin_turn(&mut self, at: Time) {
        self.in_hour(at);
        self.turns = self.turns.saturating_add(1);
    }

    pub(super) fn warned(&mut self, budget: &str, at: Time) {
        if budget == crate::turn::USD_PER_DAY {
            self.on_day(at);
            self.day_warned = true;
        } else {
            self.in_hour(at);
            self.hour_warned = true;
        }
    }
}
