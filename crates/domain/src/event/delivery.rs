//! Events of routes and deliveries.

use crate::definition::Route;
use crate::id::{CallId, DeliveryId, RouteId, TurnId};
use crate::principal::Principal;
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who wants a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RouteOrigin {
    /// The mob file.
    File,
    /// A caller of the API.
    Api,
}

/// A route is new, changed, or out of use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteDefined {
    /// The route.
    pub route: RouteId,
    /// All of it. Secrets are references.
    pub spec: Route,
    /// Who wants it.
    pub origin: RouteOrigin,
    /// Why nothing is sent over it, if so: its receiver wants nothing more. Defining it again
    /// brings it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<String>,
}

/// A route is forgotten; what is on its way over it is dead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteRemoved {
    /// The route.
    pub route: RouteId,
    /// Why.
    pub reason: String,
}

/// A delivery is durable. Its place in the journal is its id: `dlv-<seq>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveryQueued {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The route that takes it; `member:<id>` for the one that every member has.
    pub route: String,
    /// For whom.
    pub recipient: String,
    /// On which channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// What it says; a long text in it is a reference.
    pub payload: Value,
    /// Who sends it.
    pub from: Principal,
    /// Who began the chain of turns and messages that led here; absent: `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Principal>,
    /// The turn in which it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
}

/// An attempt is about to be made: the intent, recorded before the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryAttempted {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its route.
    pub route: String,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// Whether an earlier attempt may have gone through.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// The call, where a module sends it: its `tool.started` is the next event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
}

/// The receiver has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryDelivered {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its route.
    pub route: String,
    /// Which attempt.
    pub attempt: u32,
    /// What the receiver answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The beginning of its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// From the intent to the answer, in milliseconds.
    pub took_ms: u64,
}

/// An attempt failed; another one follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryFailed {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its route.
    pub route: String,
    /// Which attempt.
    pub attempt: u32,
    /// What the receiver answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The beginning of its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// Why, one line; never holds a secret.
    pub reason: String,
    /// Whether the receiver may have it all the same: the attempt was lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
    /// When the next attempt is made.
    pub retry_at: Time,
    /// From the intent to the failure, in milliseconds.
    pub took_ms: u64,
}

/// Nobody can say whether the receiver has it, and it does not know repetitions: it is not sent
/// again by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryUnknown {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its route.
    pub route: String,
    /// Which attempt.
    pub attempt: u32,
    /// Why nobody knows.
    pub reason: String,
}

/// It is not tried again by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryDead {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its route.
    pub route: String,
    /// Attempts that were made.
    pub attempt: u32,
    /// What the receiver answered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The beginning of its last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// Why.
    pub reason: String,
    /// Whether the receiver may have it all the same: the attempt was lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
}

/// Somebody sends a dead or unknown delivery again, under the same id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveryReplayed {
    /// What is sent, as it was queued; over the route that takes it now.
    #[serde(flatten)]
    pub queued: DeliveryQueued,
    /// Attempts before.
    pub attempts: u32,
    /// When it was queued.
    pub since: Time,
    /// Whether an earlier attempt may have gone through.
    pub repeated: bool,
}
