//! Sums of what model calls cost.

use crate::model::{Cost, Usage};
use crate::row::CostRow;

/// What some model calls used and cost together. Sums are exact, whatever the calls are grouped by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spending {
    /// Model calls that were answered.
    pub calls: u64,
    /// Those of them that have no price. What they cost is in no sum.
    pub unpriced_calls: u64,
    /// Tokens by sort, those of calls without a price included.
    pub usage: Usage,
    /// What the calls with a price cost.
    pub cost: Cost,
}

impl Spending {
    /// Counts one more call.
    pub fn add(&mut self, row: &CostRow) {
        self.calls += 1;
        self.usage += row.usage;
        match row.cost_usd {
            Some(cost) => self.cost += cost,
            None => self.unpriced_calls += 1,
        }
    }

    /// What the calls with a price cost; `None` where there are calls and none has one. Where
    /// others have none it is the least that all of them cost.
    pub fn cost_usd(&self) -> Option<Cost> {
        (self.calls == 0 || self.unpriced_calls < self.calls).then_some(self.cost)
    }
}

impl std::ops::AddAssign for Spending {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.unpriced_calls += other.unpriced_calls;
        self.usage += other.usage;
        self.cost += other.cost;
    }
}
