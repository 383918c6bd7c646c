//! A member as clients see it.

use crate::waiting::{WaitingOn, waiting_on};
use mobkit_domain::definition::{Engine, Profile, ToolSelector};
use mobkit_domain::event::{Offers, WaitingFor};
use mobkit_domain::id::{MemberId, ModelId, ProfileId, SessionId, TurnId};
use mobkit_domain::model::Cost;
use mobkit_domain::state::{Helper, MemberState, Pause};
use mobkit_domain::time::Time;
use mobkit_domain::world::World;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A member as it is at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct MemberSnapshot {
    /// Its lasting identity.
    pub id: MemberId,
    /// Its role.
    pub profile: ProfileId,
    /// What executes its turns; null where the definition no longer has its profile.
    pub engine: Option<Engine>,
    /// The model that it uses; null where the definition no longer has its profile.
    pub model: Option<ModelId>,
    /// Its state.
    pub state: MemberState,
    /// Whom it waits for, where it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<WaitingFor>,
    /// The same with what it waits for: the tool call, and the approval or the peer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_on: Option<WaitingOn>,
    /// Why it is paused, and when it goes on by itself, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Paused>,
    /// Since when its state is what it is.
    pub since: Time,
    /// Counts resets.
    pub generation: u32,
    /// Counts respawns.
    pub incarnation: u32,
    /// The session that it writes.
    pub session: SessionId,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The member that delegates to it, where it is a helper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<MemberId>,
    /// What that calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it is retired if it gets nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retires: Option<Time>,
    /// Its own helpers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub helpers: Vec<MemberId>,
    /// Members that it may message.
    pub wired_to: Vec<MemberId>,
    /// Messages that wait.
    pub queue_len: usize,
    /// The open turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// Why it last failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Input and output tokens since it was spawned.
    pub tokens: u64,
    /// What they cost; null where a call had no price.
    pub cost_usd: Option<Cost>,
    /// Whether it can be reached from outside (A2A, OpenAI-compatible).
    pub exposed: bool,
    /// What its engine can't do, in words: `steer`, `usage`, `deltas`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_offered: Vec<&'static str>,
    /// Tool sets that its engine has of its own, whose calls no gate sees.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ungated_tools: Vec<String>,
}

/// Why a member is paused.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Paused {
    /// Why, where somebody said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The budget that it lacks; absent: somebody paused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<String>,
    /// When it goes on by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

impl Paused {
    fn of(pause: &Pause) -> Self {
        Self {
            reason: pause.reason.clone(),
            budget: pause.budget.clone(),
            until: pause.until,
        }
    }
}

/// The member of this id.
pub(crate) fn member_snapshot(world: &World, id: &MemberId) -> Option<MemberSnapshot> {
    let member = world.state.members.get(id)?;
    let profile = world.definition.profiles.get(&member.profile);
    let turn = member.turn.and_then(|turn| world.state.turns.get(&turn));
    let waiting_on = turn.and_then(waiting_on);
    let helper = member.helper.as_ref();
    Some(MemberSnapshot {
        id: id.clone(),
        profile: member.profile.clone(),
        engine: profile.map(|profile| profile.engine),
        model: profile.map(|profile| profile.model.clone()),
        state: world.state.member_state(id)?,
        waiting_for: waiting_on.as_ref().map(|on| on.what),
        waiting_on,
        paused: member.pause.as_ref().map(Paused::of),
        since: member.since,
        generation: member.fence.generation,
        incarnation: member.fence.incarnation,
        session: member.session,
        labels: member.labels.clone(),
        parent: helper.map(|helper| helper.parent.clone()),
        name: helper.and_then(|helper| helper.name.clone()),
        retires: helper.and_then(Helper::due),
        helpers: world.state.helpers_of(id).cloned().collect(),
        wired_to: member.peers.iter().cloned().collect(),
        queue_len: member.queue.len(),
        turn: member.turn,
        last_error: member.last_error.clone(),
        tokens: member.usage.tokens(),
        cost_usd: member.cost_usd(),
        exposed: profile.is_some_and(|profile| profile.exposed),
        not_offered: member.offers.map_or_else(Vec::new, Offers::missing),
        ungated_tools: profile.map_or_else(Vec::new, ungated),
    })
}

fn ungated(profile: &Profile) -> Vec<String> {
    let tools = profile.tools.iter();
    let own = tools.filter(|tool| matches!(tool, ToolSelector::Engine(_)));
    own.map(ToolSelector::to_string).collect()
}
