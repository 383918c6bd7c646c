//! Sums are the sums of what was recorded.

use super::Seen;
use mobkit::event::Event;
use mobkit::id::TurnId;
use mobkit::model::{Cost, Usage};
use mobkit::row::Row;
use std::collections::BTreeMap;

/// What does not hold of tokens and costs.
pub(super) fn broken(seen: &Seen) -> Vec<String> {
    let mut sums: BTreeMap<TurnId, (Usage, Cost)> = BTreeMap::new();
    for envelope in &seen.events {
        match &envelope.event {
            Event::ModelReplied(e) => {
                let sum = sums.entry(e.turn).or_default();
                sum.0 += e.usage;
                sum.1 += e.cost_usd.unwrap_or_default();
            }
            Event::SessionCompacted(e) => {
                let sum = sums.entry(e.turn).or_default();
                sum.0 += e.usage;
                sum.1 += e.cost_usd.unwrap_or_default();
            }
            _ => {}
        }
    }
    let mut broken = Vec::new();
    let mut rows: BTreeMap<TurnId, (Usage, Cost)> = BTreeMap::new();
    for row in seen.rows.values() {
        if let Row::Cost(row) = row {
            let sum = rows.entry(row.turn).or_default();
            sum.0 += row.usage;
            sum.1 += row.cost_usd.unwrap_or_default();
        }
    }
    if rows != sums {
        broken.push("the table of costs has other sums than the journal".to_owned());
    }
    for row in seen.rows.values() {
        let Row::Turn(row) = row else { continue };
        let (usage, cost) = sums.get(&row.turn).copied().unwrap_or_default();
        if row.usage != usage {
            broken.push(format!(
                "{} used {usage:?} and says {:?}",
                row.turn, row.usage
            ));
        }
        if row.cost_usd.is_some_and(|said| said != cost) {
            broken.push(format!(
                "{} cost {cost} and says {:?}",
                row.turn, row.cost_usd
            ));
        }
    }
    broken
}
