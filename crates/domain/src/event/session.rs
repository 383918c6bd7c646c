//! Events of sessions.

use crate::id::{MemberId, ModelId, Seq, SessionId, TurnId};
use crate::model::{Cost, Usage};
use crate::text::Text;
use serde::{Deserialize, Serialize};

/// The old turns of a session were summarised: from here on the model sees the summary in their
/// place. The journal keeps them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionCompacted {
    /// The session.
    pub session: SessionId,
    /// Whose session.
    pub member: MemberId,
    /// The turn before whose first step it happened.
    pub turn: TurnId,
    /// Position after which the part begins that was summarised.
    pub from: Seq,
    /// Position at which it ends.
    pub until: Seq,
    /// How many turns were summarised, an earlier summary not counted.
    pub turns: u32,
    /// What stands in their place.
    pub summary: Text,
    /// Size of the session before, in tokens, as the provider counted it last.
    pub tokens_before: u64,
    /// Size of the session after, in tokens, reckoned from the length of the texts.
    pub tokens_after: u64,
    /// The model that summarised.
    pub model: ModelId,
    /// Tokens of the summary.
    pub usage: Usage,
    /// What it cost; absent where the model has no price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<Cost>,
    /// From the request to the last byte, in milliseconds.
    pub latency_ms: u64,
}
