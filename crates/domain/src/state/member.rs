//! A member as the journal leaves it.

use super::{Helper, Spent};
use crate::event::{Fence, MemberOrigin, Offers};
use crate::id::{MemberId, MessageId, ProfileId, Seq, SessionId, TurnId};
use crate::model::{Cost, Usage};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What was ordered for a member; whether it works or waits follows from its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberMode {
    /// Its engine has not reported yet.
    Starting,
    /// It takes turns.
    Active,
    /// It begins no further turn.
    Paused,
    /// It takes no further message.
    Retiring,
    /// It has left.
    Retired,
    /// It could not start.
    Failed,
    /// It was put aside since its work kills it.
    Quarantined,
}

/// The state that clients see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// Its engine has not reported yet.
    Starting,
    /// It has nothing to do.
    Idle,
    /// A turn runs.
    Working,
    /// Its turn waits for somebody.
    Waiting,
    /// It begins no further turn.
    Paused,
    /// It takes no further message.
    Retiring,
    /// It has left.
    Retired,
    /// It could not start.
    Failed,
    /// It was put aside since its work kills it.
    Quarantined,
}

impl MemberState {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Starting,
        Self::Idle,
        Self::Working,
        Self::Waiting,
        Self::Paused,
        Self::Retiring,
        Self::Retired,
        Self::Failed,
        Self::Quarantined,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Idle => "idle",
            Self::Working => "working",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
            Self::Failed => "failed",
            Self::Quarantined => "quarantined",
        }
    }
}

/// A stretch of the journal in which a member wrote a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionSpan {
    /// Who wrote it.
    pub member: MemberId,
    /// Position after which it begins.
    pub from: Seq,
    /// Position at which it ends; `None`: it goes on.
    pub until: Option<Seq>,
}

/// Why a member is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Why, for a person.
    pub reason: Option<String>,
    /// The budget that it lacks; `None`: somebody paused it.
    pub budget: Option<String>,
    /// When it goes on by itself.
    pub until: Option<Time>,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Its role.
    pub profile: ProfileId,
    /// Fencing token.
    pub fence: Fence,
    /// The session that it writes.
    pub session: SessionId,
    /// Who wants it.
    pub origin: MemberOrigin,
    /// What is known of it as a helper; `None`: it works for no other member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub helper: Option<Helper>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Data given to the agent.
    pub context: Value,
    /// Instructions beside those of the profile.
    pub additional_instructions: Vec<String>,
    /// What was ordered for it.
    pub mode: MemberMode,
    /// Whether its engine was told to start it and has not reported; it may be paused beside that.
    pub starting: bool,
    /// What its engine said that it can do beyond running turns; `None`: the engine has not
    /// reported, or is the native one.
    #[serde(default)]
    pub offers: Option<Offers>,
    /// Since when its state is what it is.
    pub since: Time,
    /// Messages that wait, in the order of acceptance.
    pub queue: VecDeque<MessageId>,
    /// The open turn.
    pub turn: Option<TurnId>,
    /// Members that it may message.
    pub peers: BTreeSet<MemberId>,
    /// Why it last failed.
    pub last_error: Option<String>,
    /// Why it leaves, or has left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaving_why: Option<String>,
    /// Model calls that were answered since it was first spawned.
    #[serde(default)]
    pub replies: u64,
    /// Tokens since it was spawned.
    pub usage: Usage,
    /// What the priced calls cost.
    pub cost: Cost,
    /// What it used today and in this hour.
    #[serde(default)]
    pub spent: Spent,
    /// Size of its session in tokens, as the provider counted it at the last reply of a native
    /// turn; after a compaction reckoned. 0: nobody has counted it.
    #[serde(default)]
    pub session_tokens: u64,
    /// Why it is paused, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// Whether it began a turn whose calls have no price, or a call had none.
    pub unpriced: bool,
    /// The role and the message under which it stands in `State::ready`.
    pub(super) ready_as: Option<(ProfileId, MessageId)>,
}

impl Member {
    /// Whether it has left.
    pub fn is_retired(&self) -> bool {
        self.mode == MemberMode::Retired
    }

    /// What its calls cost; `None` where one has no price.
    pub fn cost_usd(&self) -> Option<Cost> {
        (!self.unpriced).then_some(self.cost)
    }
}
