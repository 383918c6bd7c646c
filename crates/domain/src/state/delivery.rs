//! Routes and deliveries as the journal leaves them.

use crate::definition;
use crate::event::{DeliveryQueued, RouteOrigin};
use crate::id::{CallId, DeliveryId, Seq};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

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
    /// Whether an attempt may have gone through, though nobody knows.
    pub repeated: bool,
    /// Position of the event that last changed it.
    pub seq: Seq,
}
