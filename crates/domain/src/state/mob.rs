//! The folded journal of one mob.

use super::{
    Approval, Delivery, DirectCall, EngineState, HostedTool, Keys, Member, MemberMode, Message,
    Module, RemovedSchedule, Route, Schedule, SessionSpan, Tasks, Trimmed, Turn, Waiting,
};
use crate::definition::Engine;
use crate::edge::Edge;
use crate::event::{EdgeOrigin, GrantCreated};
use crate::id::{
    ApprovalId, CallId, DeliveryId, GrantId, MemberId, MessageId, MobId, ModelId, ModuleId,
    ProfileId, RouteId, ScheduleId, Seq, SessionId, TurnId,
};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Where the process is in its life, as far as the journal knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// No process has the mob, or the last one stopped in order.
    #[default]
    Stopped,
    /// A process took the mob over.
    Started,
    /// Turns may begin.
    Ready,
    /// No further turn begins.
    Draining,
}

/// The folded journal of one mob.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Whose state.
    pub mob: MobId,
    /// Position of the last event that was applied.
    pub head: Seq,
    /// Epoch of the writer that started last.
    pub epoch: u64,
    /// Digest of the definition in force.
    pub definition_digest: Option<String>,
    /// Where the process is in its life.
    pub stage: Stage,
    /// Whether the line is stopped.
    pub paused: bool,
    /// Members, those that have left included until they are deleted.
    pub members: BTreeMap<MemberId, Member>,
    /// The last generation of every member that was deleted: who comes back under its name goes on
    /// counting there, so no fencing token is given twice.
    #[serde(default)]
    pub deleted: BTreeMap<MemberId, u32>,
    /// The helpers of each member that has any.
    #[serde(default)]
    pub helpers: BTreeMap<MemberId, BTreeSet<MemberId>>,
    /// When helpers are retired that have nothing to do.
    #[serde(default)]
    pub helper_dues: BTreeSet<(Time, MemberId)>,
    /// Helpers that have to leave, since nobody is there for whom they work.
    #[serde(default)]
    pub orphans: BTreeSet<MemberId>,
    /// Edges that are wired.
    #[serde(with = "super::pairs")]
    pub wired: BTreeMap<Edge, EdgeOrigin>,
    /// Edges that edge discovery counts as its own, wired or not.
    pub managed: BTreeSet<Edge>,
    /// Messages that wait or are part of an open turn.
    pub messages: BTreeMap<MessageId, Message>,
    /// Turns that have not ended.
    pub turns: BTreeMap<TurnId, Turn>,
    /// Approvals that wait.
    #[serde(default)]
    pub approvals: BTreeMap<ApprovalId, Approval>,
    /// When approvals that wait expire.
    #[serde(default)]
    pub approval_expiries: BTreeSet<(Time, ApprovalId)>,
    /// Grants that hold; one whose time is over may still be here, and lets nothing pass.
    #[serde(default)]
    pub grants: BTreeMap<GrantId, GrantCreated>,
    /// Modules, those that do not run included.
    #[serde(default)]
    pub modules: BTreeMap<ModuleId, Module>,
    /// When the writer has to look at a module: a restart or the end of its idle time.
    #[serde(default)]
    pub module_dues: BTreeSet<(Time, ModuleId)>,
    /// External engines that were ever started.
    #[serde(default)]
    pub engines: BTreeMap<Engine, EngineState>,
    /// Tools that host programs offer over their sessions, by name; those of programs that have
    /// gone included.
    #[serde(default)]
    pub hosted: BTreeMap<String, HostedTool>,
    /// Calls of modules that no turn waits for.
    #[serde(default)]
    pub direct_calls: BTreeMap<CallId, DirectCall>,
    /// The task list that members share.
    #[serde(default)]
    pub tasks: Tasks,
    /// Schedules.
    #[serde(default)]
    pub schedules: BTreeMap<ScheduleId, Schedule>,
    /// What is kept of schedules that were removed, the latest of them, so that none of their due
    /// times fires again.
    #[serde(default)]
    pub removed_schedules: BTreeMap<ScheduleId, RemovedSchedule>,
    /// When the writer has to look at a schedule: it fires, or an occurrence is tried again.
    #[serde(default)]
    pub schedule_dues: BTreeSet<(Time, ScheduleId)>,
    /// Since when due times are kept: the runtime became ready, or the line was started again.
    #[serde(default)]
    pub line_since: Time,
    /// Occurrences whose message waits or is part of an open turn.
    #[serde(default)]
    pub occurrence_messages: BTreeMap<MessageId, (ScheduleId, Time)>,
    /// Occurrences whose tool call is in flight.
    #[serde(default)]
    pub occurrence_calls: BTreeMap<CallId, (ScheduleId, Time)>,
    /// Occurrences whose delivery is on its way.
    #[serde(default)]
    pub occurrence_deliveries: BTreeMap<DeliveryId, (ScheduleId, Time)>,
    /// Routes.
    #[serde(default)]
    pub routes: BTreeMap<RouteId, Route>,
    /// Deliveries that have not come to their end.
    #[serde(default)]
    pub deliveries: BTreeMap<DeliveryId, Delivery>,
    /// What waits for attempts, by the name of the route.
    #[serde(default)]
    pub delivery_waiting: BTreeMap<String, Waiting>,
    /// When the writer has to look at a route, by its name: a delivery waits, its time has come,
    /// and there is room for an attempt.
    #[serde(default)]
    pub delivery_dues: BTreeSet<(Time, String)>,
    /// Deliveries that a module's tool sends, by the call.
    #[serde(default)]
    pub delivery_calls: BTreeMap<CallId, DeliveryId>,
    /// When deliveries that were sent again came to their end, the latest of them: nobody who saw
    /// one before that sends it once more.
    #[serde(default)]
    pub deliveries_resent: BTreeMap<DeliveryId, Seq>,
    /// In which stretches of the journal each session was written.
    pub sessions: BTreeMap<SessionId, Vec<SessionSpan>>,
    /// Up to which position each session is summarised.
    #[serde(default)]
    pub compacted: BTreeMap<SessionId, Seq>,
    /// Idempotency keys of late.
    pub keys: Keys,
    /// When waiting messages expire.
    pub expiries: BTreeSet<(Time, MessageId)>,
    /// Members that could begin a turn, by role, then by the message that waits longest; so a role
    /// whose model has no room is passed over at once, however many wait in it.
    pub ready: BTreeMap<ProfileId, BTreeSet<(MessageId, MemberId)>>,
    /// Turns whose next tool call the writer has to look at.
    pub owed: BTreeSet<TurnId>,
    /// Turns that are between two steps and have messages to take in.
    #[serde(default)]
    pub steered: BTreeSet<TurnId>,
    /// Retiring members with nothing left to do.
    pub leaving: BTreeSet<MemberId>,
    /// When members go on that paused for want of a budget.
    #[serde(default)]
    pub budget_dues: BTreeSet<(Time, MemberId)>,
    /// What retention has forgotten.
    #[serde(default)]
    pub trimmed: Trimmed,
    /// Turns that work right now, by model; those that wait or are put aside don't count.
    pub working: BTreeMap<ModelId, u32>,
}

impl State {
    /// The state before the first event.
    pub fn of(mob: MobId) -> Self {
        Self {
            mob,
            head: 0,
            epoch: 0,
            definition_digest: None,
            stage: Stage::Stopped,
            paused: false,
            members: BTreeMap::new(),
            deleted: BTreeMap::new(),
            helpers: BTreeMap::new(),
            helper_dues: BTreeSet::new(),
            orphans: BTreeSet::new(),
            wired: BTreeMap::new(),
            managed: BTreeSet::new(),
            messages: BTreeMap::new(),
            turns: BTreeMap::new(),
            approvals: BTreeMap::new(),
            approval_expiries: BTreeSet::new(),
            grants: BTreeMap::new(),
            modules: BTreeMap::new(),
            module_dues: BTreeSet::new(),
            engines: BTreeMap::new(),
            hosted: BTreeMap::new(),
            direct_calls: BTreeMap::new(),
            tasks: Tasks::default(),
            schedules: BTreeMap::new(),
            removed_schedules: BTreeMap::new(),
            schedule_dues: BTreeSet::new(),
            line_since: Time::default(),
            occurrence_messages: BTreeMap::new(),
            occurrence_calls: BTreeMap::new(),
            occurrence_deliveries: BTreeMap::new(),
            routes: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            delivery_waiting: BTreeMap::new(),
            delivery_dues: BTreeSet::new(),
            delivery_calls: BTreeMap::new(),
            deliveries_resent: BTreeMap::new(),
            sessions: BTreeMap::new(),
            compacted: BTreeMap::new(),
            keys: Keys::default(),
            expiries: BTreeSet::new(),
            ready: BTreeMap::new(),
            owed: BTreeSet::new(),
            steered: BTreeSet::new(),
            leaving: BTreeSet::new(),
            budget_dues: BTreeSet::new(),
            trimmed: Trimmed::default(),
            working: BTreeMap::new(),
        }
    }

    /// Turns that work right now.
    pub fn working_total(&self) -> u32 {
        self.working.values().sum()
    }

    /// Members that have not left.
    pub fn present(&self) -> impl Iterator<Item = (&MemberId, &Member)> {
        self.members
            .iter()
            .filter(|(_, member)| member.mode != MemberMode::Retired)
    }
}
