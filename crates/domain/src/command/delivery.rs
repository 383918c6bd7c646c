//! Commands about a route or a delivery, and what came of an attempt.

use crate::definition::Route;
use crate::id::{DeliveryId, RouteId};
use crate::row::DeliveryRow;
use serde_json::Value;

/// What came of an attempt at a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The receiver has it.
    Delivered {
        /// What it answered.
        status: Option<u16>,
        /// The beginning of its answer.
        excerpt: Option<String>,
    },
    /// The receiver does not have it.
    Failed {
        /// What it answered.
        status: Option<u16>,
        /// Why, one line; never holds a secret.
        reason: String,
        /// The beginning of its answer.
        excerpt: Option<String>,
        /// How long it asks to be left alone, in milliseconds.
        retry_after_ms: Option<u64>,
        /// Whether it wants nothing more over this route.
        gone: bool,
        /// Whether another attempt can't go better.
        hopeless: bool,
    },
    /// Nobody can say.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// Commands about routes and deliveries.
#[derive(Debug, Clone)]
pub enum DeliveryCommand {
    /// Somebody defines a route, or changes one that the mob file does not define.
    RoutePut(Box<Route>),
    /// Use one again that is out of use.
    RouteEnable {
        /// The route.
        route: RouteId,
    },
    /// The definition in force has this route, has it changed, or no longer has it.
    RouteConverge {
        /// The route.
        route: RouteId,
    },
    /// Forget it.
    RouteRemove {
        /// The route.
        route: RouteId,
    },
    /// Send something.
    Send {
        /// For whom.
        recipient: String,
        /// On which channel.
        channel: Option<String>,
        /// What it says.
        payload: Value,
    },
    /// What came of an attempt.
    Ended {
        /// The delivery.
        delivery: DeliveryId,
        /// Which attempt.
        attempt: u32,
        /// What came of it.
        outcome: AttemptOutcome,
    },
    /// Send a dead or unknown delivery again.
    Replay(Box<DeliveryRow>),
}
