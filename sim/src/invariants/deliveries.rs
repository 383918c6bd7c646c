//! Deliveries reach who they are for: at least once where that can tell repetitions, else at most
//! once.

use super::Seen;
use crate::outside::Fact;
use crate::run::Run;
use mobkit::event::Event;
use mobkit::id::DeliveryId;
use std::collections::{BTreeMap, BTreeSet};

/// A delivery in the journal.
#[derive(Default)]
struct Delivery {
    route: String,
    queued: usize,
    replays: usize,
    ends: usize,
    delivered: bool,
    attempts: BTreeSet<u32>,
}

/// What does not hold of deliveries.
pub(super) fn broken(seen: &Seen, run: &Run) -> Vec<String> {
    let mut broken = Vec::new();
    let mut all: BTreeMap<DeliveryId, Delivery> = BTreeMap::new();
    for envelope in &seen.events {
        match &envelope.event {
            Event::DeliveryQueued(e) => {
                let found = all.entry(e.delivery).or_default();
                found.queued += 1;
                found.route.clone_from(&e.route);
            }
            Event::DeliveryReplayed(e) => all.entry(e.queued.delivery).or_default().replays += 1,
            Event::DeliveryAttempted(e) => {
                let found = all.entry(e.delivery).or_default();
                if !found.attempts.insert(e.attempt) {
                    broken.push(format!("{} has two attempts {}", e.delivery, e.attempt));
                }
            }
            Event::DeliveryDelivered(e) => {
                let found = all.entry(e.delivery).or_default();
                found.ends += 1;
                found.delivered = true;
            }
            Event::DeliveryUnknown(e) => all.entry(e.delivery).or_default().ends += 1,
            Event::DeliveryDead(e) => all.entry(e.delivery).or_default().ends += 1,
            _ => {}
        }
    }
    let mut taken: BTreeMap<DeliveryId, usize> = BTreeMap::new();
    let mut made = BTreeSet::new();
    for fact in run.outside.facts() {
        match fact {
            Fact::Taken { delivery } => *taken.entry(delivery).or_default() += 1,
            Fact::Attempt { delivery, attempt } => {
                if !made.insert((delivery, attempt)) {
                    broken.push(format!("attempt {attempt} at {delivery} was made twice"));
                }
                let recorded = all.get(&delivery).map(|found| &found.attempts);
                if !recorded.is_some_and(|attempts| attempts.contains(&attempt)) {
                    broken.push(format!("attempt {attempt} at {delivery} has no intent"));
                }
            }
            Fact::Call { .. } => {}
        }
    }
    for (id, delivery) in &all {
        let times = taken.get(id).copied().unwrap_or(0);
        let route = delivery.route.as_str();
        if (delivery.queued, delivery.ends) != (1, 1 + delivery.replays) {
            broken.push(format!(
                "{id} was queued {} times and ended {} times",
                delivery.queued, delivery.ends
            ));
        }
        if delivery.delivered && matches!(route, "hook" | "mail" | "note") && times == 0 {
            broken.push(format!("{id} was delivered and never arrived"));
        }
        if route == "mail" && times > 1 + delivery.replays {
            broken.push(format!(
                "{id} arrived {times} times over a sink that repeats nothing"
            ));
        }
    }
    broken
}
