//! What the events of routes and deliveries do to the state.
//!
//! A route is in the index of dues exactly where a delivery waits on it and nothing but time keeps
//! the next attempt from being made; so looking for what is due costs nothing for full routes,
//! however many deliveries wait on them.

use super::{Delivery, DeliveryStatus, RATE_WINDOW_MS, Route, State};
use crate::definition::Sink;
use crate::event::{
    DeliveryAttempted, DeliveryFailed, DeliveryQueued, DeliveryReplayed, Event, RouteDefined,
};
use crate::id::{DeliveryId, RouteId, Seq};
use crate::time::Time;
use std::collections::{BTreeSet, VecDeque};

/// How many ends of deliveries that were sent again are remembered.
const RESENT_MAX: usize = 1_000;

impl State {
    /// Folds an event in; `false`: it is none of these.
    pub(super) fn apply_delivery(&mut self, seq: Seq, now: Time, event: &Event) -> bool {
        match event {
            Event::RouteDefined(e) => self.route_defined(e, seq),
            Event::RouteRemoved(e) => {
                self.routes.remove(&e.route);
                self.index_route(e.route.as_str());
            }
            Event::DeliveryQueued(e) => self.delivery_queued(e, seq, now),
            Event::DeliveryReplayed(e) => self.delivery_replayed(e, seq, now),
            Event::DeliveryAttempted(e) => self.delivery_attempted(e, seq, now),
            Event::DeliveryFailed(e) => self.delivery_failed(e, seq),
            Event::DeliveryDelivered(e) => self.delivery_ended(e.delivery, seq),
            Event::DeliveryUnknown(e) => self.delivery_ended(e.delivery, seq),
            Event::DeliveryDead(e) => self.delivery_ended(e.delivery, seq),
            _ => return false,
        }
        true
    }

    /// The route of a name, if it is one that somebody defined.
    pub fn route(&self, name: &str) -> Option<&Route> {
        // The name of the route that every member has is no id of a route.
        self.routes.get(&RouteId::parse(name).ok()?)
    }

    fn route_mut(&mut self, name: &str) -> Option<&mut Route> {
        self.routes.get_mut(&RouteId::parse(name).ok()?)
    }

    fn route_defined(&mut self, e: &RouteDefined, seq: Seq) {
        let (attempts, attempting) = match self.routes.remove(&e.route) {
            Some(earlier) => (earlier.attempts, earlier.attempting),
            None => (VecDeque::new(), self.attempting_over(e.route.as_str())),
        };
        let route = Route {
            spec: e.spec.clone(),
            origin: e.origin,
            disabled: e.disabled.clone(),
            attempts,
            attempting,
            seq,
        };
        self.routes.insert(e.route.clone(), route);
        self.index_route(e.route.as_str());
    }

    /// Attempts in flight over a route of this name that was removed since they began.
    fn attempting_over(&self, name: &str) -> BTreeSet<DeliveryId> {
        let open = self.deliveries.iter();
        let attempting = open.filter(|(_, open)| {
            open.queued.route == name && matches!(open.status, DeliveryStatus::Attempting { .. })
        });
        attempting.map(|(id, _)| *id).collect()
    }

    fn delivery_queued(&mut self, e: &DeliveryQueued, seq: Seq, now: Time) {
        let delivery = Delivery {
            queued: e.clone(),
            since: now,
            status: DeliveryStatus::Waiting { not_before: now },
            attempts: 0,
            attempts_before: 0,
            repeated: false,
            seq,
        };
        self.deliveries.insert(e.delivery, delivery);
        self.delivery_waits(e.delivery, now);
    }

    fn delivery_replayed(&mut self, e: &DeliveryReplayed, seq: Seq, now: Time) {
        let delivery = Delivery {
            queued: e.queued.clone(),
            since: e.since,
            status: DeliveryStatus::Waiting { not_before: now },
            attempts: e.attempts,
            attempts_before: e.attempts,
            repeated: e.repeated,
            seq,
        };
        let id = e.queued.delivery;
        self.deliveries.insert(id, delivery);
        self.deliveries_resent.insert(id, seq);
        self.delivery_waits(id, now);
    }

    fn delivery_attempted(&mut self, e: &DeliveryAttempted, seq: Seq, now: Time) {
        let repeatable = self.route(&e.route).is_some_and(knows_repetitions);
        let Some(open) = self.deliveries.get_mut(&e.delivery) else {
            return;
        };
        let waited = std::mem::replace(
            &mut open.status,
            DeliveryStatus::Attempting {
                since: now,
                call: e.call,
                repeatable,
            },
        );
        open.attempts = e.attempt;
        open.seq = seq;
        if let DeliveryStatus::Waiting { not_before } = waited {
            self.delivery_waits_no_longer(&e.route, (not_before, e.delivery));
        }
        if let Some(call) = e.call {
            self.delivery_calls.insert(call, e.delivery);
        }
        if let Some(route) = self.route_mut(&e.route) {
            route.attempting.insert(e.delivery);
            route.count_attempt(now);
        }
        self.index_route(&e.route);
    }

    fn delivery_failed(&mut self, e: &DeliveryFailed, seq: Seq) {
        self.attempt_ends(e.delivery);
        let Some(open) = self.deliveries.get_mut(&e.delivery) else {
            return;
        };
        open.repeated |= e.lost;
        open.seq = seq;
        open.status = DeliveryStatus::Waiting {
            not_before: e.retry_at,
        };
        self.delivery_waits(e.delivery, e.retry_at);
    }

    fn delivery_ended(&mut self, id: DeliveryId, seq: Seq) {
        self.attempt_ends(id);
        let Some(ended) = self.deliveries.remove(&id) else {
            return;
        };
        if let DeliveryStatus::Waiting { not_before } = ended.status {
            self.delivery_waits_no_longer(&ended.queued.route, (not_before, id));
            self.index_route(&ended.queued.route);
        }
        if let Some(resent) = self.deliveries_resent.get_mut(&id) {
            *resent = seq;
            self.forget_resent();
        }
    }

    /// Forgets the ends that are the longest ago.
    fn forget_resent(&mut self) {
        while self.deliveries_resent.len() > RESENT_MAX {
            let resent = self.deliveries_resent.iter();
            let over = resent.filter(|(id, _)| !self.deliveries.contains_key(id));
            let Some((id, _)) = over.min_by_key(|(_, seq)| **seq) else {
                return;
            };
            let id = *id;
            self.deliveries_resent.remove(&id);
        }
    }

    /// Makes room on the route of an attempt that has come to its end.
    fn attempt_ends(&mut self, id: DeliveryId) {
        let Some(open) = self.deliveries.get(&id) else {
            return;
        };
        let DeliveryStatus::Attempting { call, .. } = open.status else {
            return;
        };
        let name = open.queued.route.clone();
        if let Some(call) = call {
            self.delivery_calls.remove(&call);
        }
        if let Some(route) = self.route_mut(&name) {
            route.attempting.remove(&id);
        }
        self.index_route(&name);
    }

    fn delivery_waits(&mut self, id: DeliveryId, not_before: Time) {
        let Some(open) = self.deliveries.get(&id) else {
            return;
        };
        let name = open.queued.route.clone();
        let waiting = self.delivery_waiting.entry(name.clone()).or_default();
        waiting.deliveries.insert((not_before, id));
        self.index_route(&name);
    }

    fn delivery_waits_no_longer(&mut self, name: &str, waited: (Time, DeliveryId)) {
        if let Some(waiting) = self.delivery_waiting.get_mut(name) {
            waiting.deliveries.remove(&waited);
        }
    }

    /// Brings the index of dues up to date with what waits on a route and with its room.
    fn index_route(&mut self, name: &str) {
        // A route that is gone, and the one that every member has, are never full.
        let opens = self.route(name).map_or(Some(Time(i64::MIN)), Route::opens);
        let Some(waiting) = self.delivery_waiting.get_mut(name) else {
            return;
        };
        let first = waiting
            .deliveries
            .first()
            .map(|(not_before, _)| *not_before);
        let due = first.zip(opens).map(|(first, opens)| first.max(opens));
        let before = std::mem::replace(&mut waiting.due, due);
        let is_empty = waiting.deliveries.is_empty();
        if before != due {
            if let Some(before) = before {
                self.delivery_dues.remove(&(before, name.to_owned()));
            }
            if let Some(due) = due {
                self.delivery_dues.insert((due, name.to_owned()));
            }
        }
        if is_empty {
            self.delivery_waiting.remove(name);
        }
    }
}

/// Whether the receivers of a route know repetitions by their id.
fn knows_repetitions(route: &Route) -> bool {
    match route.spec.sink {
        Sink::Webhook { .. } | Sink::File { .. } => true,
        Sink::Email { .. } | Sink::Member { .. } | Sink::Module { .. } => false,
    }
}

impl Route {
    /// Counts an attempt, and forgets those that count no longer.
    fn count_attempt(&mut self, now: Time) {
        let Some(rate) = self.spec.rate else {
            self.attempts.clear();
            return;
        };
        self.attempts.push_back(now);
        let most = usize::try_from(rate.per_minute).unwrap_or(usize::MAX);
        let is_over = |first: &Time| first.plus_ms(RATE_WINDOW_MS) <= now;
        while self.attempts.len() > most || self.attempts.front().is_some_and(is_over) {
            self.attempts.pop_front();
        }
    }
}
