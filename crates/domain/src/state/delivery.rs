//! Routes and deliveries as the journal leaves them.

use crate::definition;
use crate::event::{DeliveryQueued, RouteOrigin};
use crate::id::{CallId, DeliveryId, Seq};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

/// Most attempts over one route at once.
pub const ATTEMPTS_AT_ONCE_MAX: usize = 8;
/// How long an attempt counts for the rate limit of its route, in milliseconds.
pub const RATE_WINDOW_MS: u64 = 60_000;

/// One route.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// All of it.
    pub spec: definition::Route,
    /// Who wants it.
    pub origin: RouteOrigin,
    /// Why nothing is sent over it, if so.
    pub disabled: Option<String>,
    /// When its latest attempts began, as far as its rate limit counts them.
    pub attempts: VecDeque<Time>,
    /// Deliveries in attempt.
    pub attempting: BTreeSet<DeliveryId>,
    /// Position of the event that defined it last.
    pub seq: Seq,
}

impl Route {
    /// When there is room for one more attempt, as far as its own bounds go; `None`: not before one
    /// of those in flight ends.
    pub fn opens(&self) -> Option<Time> {
        const ANY_TIME: Time = Time(i64::MIN);
        if self.disabled.is_some() {
            // What waits is looked at and ends.
            return Some(ANY_TIME);
        }
        if self.attempting.len() >= ATTEMPTS_AT_ONCE_MAX {
            return None;
        }
        let Some(rate) = self.spec.rate else {
            return Some(ANY_TIME);
        };
        let most = usize::try_from(rate.per_minute).unwrap_or(usize::MAX);
        let first = self.attempts.len().checked_sub(most);
        let first = first.and_then(|first| self.attempts.get(first));
        Some(first.map_or(ANY_TIME, |first| first.plus_ms(RATE_WINDOW_MS)))
    }
}

/// What waits for attempts over one route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The deliveries, by the time before which no attempt is made.
    pub deliveries: BTreeSet<(Time, DeliveryId)>,
    /// When the writer has to look at the route, as [`State`](super::State) has it in its index;
    /// `None`: not before an attempt ends.
    pub due: Option<Time>,
}

/// Where an open delivery stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// It waits for its first attempt, or its next one.
    Waiting {
        /// Not before this time.
        not_before: Time,
    },
    /// An attempt is in flight.
    Attempting {
        /// Since when.
        since: Time,
        /// The call, where a module sends it.
        call: Option<CallId>,
        /// Whether the receiver knows repetitions, so that a lost attempt is made again.
        repeatable: bool,
    },
}

/// A delivery that has not come to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// What is sent.
    pub queued: DeliveryQueued,
    /// When it was queued.
    pub since: Time,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// Attempts so far, one in flight included.
    pub attempts: u32,
    /// How many of them were made before it was sent again: they don't count for the retries of the
    /// route.
    pub attempts_before: u32,
    /// Whether an attempt may have gone through, though nobody knows.
    pub repeated: bool,
    /// Position of the event that last changed it.
    pub seq: Seq,
}
