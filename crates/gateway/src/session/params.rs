//! Parameters of what only a session can be asked.

use crate::words::Words;
use mobkit_domain::id::Seq;
use serde::Deserialize;
use serde_json::Value;

/// Asks for events as they come.
pub(super) const SUBSCRIBE: &str = "event/subscribe";
/// Ends that.
pub(super) const UNSUBSCRIBE: &str = "event/unsubscribe";
/// Gives a request up.
pub(super) const CANCEL: &str = "$/cancelRequest";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Subscribe {
    /// Only events after this position; without it what is still to come.
    pub after: Option<Seq>,
    /// Kinds, each whole or by noun (`turn.*`).
    pub kinds: Option<Words>,
    /// Subject, whole or by noun (`member/*`).
    pub subject: Option<String>,
    /// Source.
    pub source: Option<String>,
    /// Whether to carry text as it is written.
    #[serde(default)]
    pub deltas: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unsubscribe {
    pub subscription: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cancel {
    pub id: Value,
}
