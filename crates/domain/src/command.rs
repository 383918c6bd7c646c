//! Commands: what somebody asks of the writer, and what came of an effect.

use crate::definition::{MemberSpec, Role, Route, Schedule};
use crate::edge::Edge;
use crate::event::{
    AccessDenied, DrainReport, EdgeOrigin, Envelope, ErrorEvent, Event, Fence, KeyUse,
    MemberOrigin, MessageMode, MobApplied, MobDefined, MobPlanned, ModuleEvent, ModuleLog,
    ResolveHow, RetireMode, StopOutcome, ToolDefinition, UnwireReason, Verdict,
};
use crate::id::{
    ApprovalId, CallId, DeliveryId, GrantId, MemberId, MessageId, ModuleId, ProfileId, RouteId,
    ScheduleId, Seq, TurnId,
};
use crate::lifecycle::Verb;
use crate::model::{Failure, Reply};
use crate::principal::Principal;
use crate::row::DeliveryRow;
use crate::text::{Content, Text};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A command with who gives it.
#[derive(Debug, Clone)]
pub struct Submission {
    /// What is asked.
    pub command: Command,
    /// Who asks, from authentication.
    pub actor: Principal,
    /// The idempotency key of the request.
    pub key: Option<KeyUse>,
    /// Trace id of the request.
    pub trace: Option<String>,
}

impl Submission {
    /// A command that the runtime gives itself.
    pub fn internal(command: Command) -> Self {
        Self {
            command,
            actor: Principal::Runtime,
            key: None,
            trace: None,
        }
    }
}

/// What the writer can be asked to decide.
#[derive(Debug, Clone)]
pub enum Command {
    /// About the process.
    Runtime(RuntimeCommand),
    /// About the mob as a whole.
    Mob(MobCommand),
    /// About a member.
    Member(MemberCommand),
    /// About an edge.
    Edge(EdgeCommand),
    /// About a message.
    Message(MessageCommand),
    /// About a turn, an answer or a tool call.
    Turn(TurnCommand),
    /// About an approval or a grant.
    Approval(ApprovalCommand),
    /// About a module.
    Module(ModuleCommand),
    /// About a schedule.
    Schedule(ScheduleCommand),
    /// About a route or a delivery.
    Delivery(DeliveryCommand),
}

/// Commands about the process.
#[derive(Debug, Clone)]
pub enum RuntimeCommand {
    /// A process took over: recover what was open.
    Start {
        /// Version of mobkit.
        version: String,
        /// The writer epoch.
        epoch: u64,
        /// What an accepted event survives.
        durability: String,
        /// Whether every model is replaced by rehearsal.
        rehearsal: bool,
    },
    /// Start is complete.
    Ready,
    /// Begin to stop.
    Drain {
        /// How long running turns may take to end, in milliseconds.
        timeout_ms: u64,
    },
    /// Put aside every turn that is still open.
    Checkpoint,
    /// Write the last event.
    Stop {
        /// What was seen while the runtime drained.
        drain: DrainReport,
    },
    /// Look whether something is due.
    Tick,
    /// Record an error.
    Raise(ErrorEvent),
    /// Record a refused access.
    Deny(AccessDenied),
}

/// Commands about the mob as a whole.
#[derive(Debug, Clone)]
pub enum MobCommand {
    /// A definition comes into force.
    Define(MobDefined),
    /// A plan is about to be applied.
    Planned(MobPlanned),
    /// A plan was applied.
    Applied(MobApplied),
    /// Retire every member at once, to start over; the managed set is forgotten.
    Reset,
    /// Stop the line.
    Pause {
        /// Why.
        reason: Option<String>,
    },
    /// Start the line again.
    Resume,
}

/// Commands about a member.
#[derive(Debug, Clone)]
pub enum MemberCommand {
    /// Let a member join.
    Spawn {
        /// What it is.
        spec: Box<MemberSpec>,
        /// Who wants it.
        origin: MemberOrigin,
        /// Whether it is an error if it is already there as asked for.
        ensure: bool,
        /// Whether the edges of the mob file are wired at once.
        wire: bool,
    },
    /// Change something in place; `None` leaves it as it is.
    Update {
        /// The member.
        member: MemberId,
        /// Labels.
        labels: Option<BTreeMap<String, String>>,
        /// Context.
        context: Option<Value>,
        /// Additional instructions.
        additional_instructions: Option<Vec<String>>,
        /// Who wants it.
        origin: Option<MemberOrigin>,
    },
    /// Let a member leave.
    Retire {
        /// The member.
        member: MemberId,
        /// How.
        mode: RetireMode,
        /// Why.
        reason: Option<String>,
    },
    /// Fresh process state; the session stays.
    Respawn {
        /// The member.
        member: MemberId,
        /// The role from here on; `None`: as before.
        profile: Option<ProfileId>,
        /// Why.
        reason: String,
    },
    /// A new generation with an empty session.
    Reset {
        /// The member.
        member: MemberId,
    },
    /// Forget a member that has left.
    Delete {
        /// The member.
        member: MemberId,
    },
    /// Begin no further turn.
    Pause {
        /// The member.
        member: MemberId,
        /// Why.
        reason: Option<String>,
    },
    /// Work again.
    Resume {
        /// The member.
        member: MemberId,
    },
    /// Stop the running turn.
    Cancel {
        /// The member.
        member: MemberId,
        /// Why.
        reason: Option<String>,
    },
    /// The engine reports that the member can work, or why it can't.
    EngineStarted {
        /// The member.
        member: MemberId,
        /// The token under which it was started.
        fence: Fence,
        /// Why it can't work, if so.
        error: Option<String>,
    },
}

/// Commands about an edge.
#[derive(Debug, Clone)]
pub enum EdgeCommand {
    /// Wire two members.
    Wire {
        /// The edge.
        edge: Edge,
        /// Who wants it.
        origin: EdgeOrigin,
    },
    /// Unwire two members.
    Unwire {
        /// The edge.
        edge: Edge,
        /// Why.
        reason: UnwireReason,
    },
}

/// Commands about a message.
#[derive(Debug, Clone)]
pub enum MessageCommand {
    /// Accept input for a member.
    Send {
        /// Whom it is for.
        to: MemberId,
        /// What it says.
        content: Content,
        /// What it does while a turn runs; `None`: as the profile says.
        mode: Option<MessageMode>,
        /// The sender's own correlation id.
        correlation: Option<String>,
        /// When it is dropped if it still waits.
        expires: Option<Time>,
    },
    /// Withdraw a waiting message.
    Cancel {
        /// The message.
        message: MessageId,
        /// Why.
        reason: Option<String>,
    },
}

/// Names the piece of a turn that an outcome belongs to; an outcome of another piece is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRef {
    /// The turn.
    pub turn: TurnId,
    /// Fencing token of the member.
    pub fence: Fence,
    /// Which model call, from 1.
    pub step: u32,
    /// Which attempt, from 1.
    pub attempt: u32,
}

/// What came of a tool call that was handed to a runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolOutcome {
    /// A result; the model is told.
    Finished(Text),
    /// It failed, or was not made; the model is told why.
    Failed(String),
    /// Nobody can say whether it happened: its module ended or fell silent in the middle. A call
    /// with an effect becomes unknown; any other one has failed.
    Lost(String),
}

impl From<Result<Text, String>> for ToolOutcome {
    fn from(outcome: Result<Text, String>) -> Self {
        match outcome {
            Ok(result) => Self::Finished(result),
            Err(reason) => Self::Failed(reason),
        }
    }
}

/// Commands about a turn, an answer or a tool call.
#[derive(Debug, Clone)]
pub enum TurnCommand {
    /// A model answered.
    ModelReplied {
        /// Which call.
        at: StepRef,
        /// The answer.
        reply: Reply,
        /// From the request to the last byte, in milliseconds.
        latency_ms: u64,
    },
    /// An attempt to call a model failed.
    ModelFailed {
        /// Which call.
        at: StepRef,
        /// Why.
        failure: Failure,
        /// From the request to the failure, in milliseconds.
        latency_ms: u64,
    },
    /// A tool gave a result, or failed.
    ToolEnded {
        /// The turn; `None`: a direct call.
        turn: Option<TurnId>,
        /// The call.
        call: CallId,
        /// What came of it.
        outcome: ToolOutcome,
    },
    /// An operator says what came of an unknown call.
    ToolResolve {
        /// The call.
        call: CallId,
        /// What is said.
        how: ResolveHow,
        /// The result, where it happened.
        result: Option<Text>,
    },
    /// An external engine reports a step that it made.
    EngineReplied {
        /// The turn.
        turn: TurnId,
        /// Fencing token of the member.
        fence: Fence,
        /// What the model said and which of our tools it wants.
        reply: Reply,
        /// The engine's own event.
        original: Value,
    },
    /// An external engine ended a turn.
    EngineEnded {
        /// The turn.
        turn: TurnId,
        /// Fencing token of the member.
        fence: Fence,
        /// The answer, or why there is none.
        outcome: Result<Text, String>,
    },
    /// Stop a turn.
    Cancel {
        /// The turn.
        turn: TurnId,
        /// Why.
        reason: Option<String>,
    },
}

/// What a grant should let pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "snake_case")]
pub enum GrantScopeRequest {
    /// Calls to the end of the turn.
    Turn,
    /// Calls to the end of the run that the turn belongs to.
    Run,
    /// Calls to a time.
    Until {
        /// The time.
        until: Time,
    },
}

/// A grant as it is asked for together with a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GrantRequest {
    /// How long it holds.
    #[serde(flatten)]
    pub scope: GrantScopeRequest,
    /// Arguments that later calls must have as they are here, others may be anything; absent: all
    /// arguments must be those of the approved call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<BTreeMap<String, Value>>,
}

/// Commands about approvals and grants.
#[derive(Debug, Clone)]
pub enum ApprovalCommand {
    /// Somebody decides.
    Decide {
        /// The approval.
        approval: ApprovalId,
        /// Digest of what was shown.
        digest: String,
        /// What is decided.
        decision: Verdict,
        /// Arguments instead of those that were shown; of an elicitation, the answer.
        args: Option<Value>,
        /// Why.
        reason: Option<String>,
        /// A grant for later calls.
        grant: Option<GrantRequest>,
        /// The roles of who decides, from authentication.
        roles: Vec<Role>,
    },
    /// Take a grant back.
    Revoke {
        /// The grant.
        grant: GrantId,
    },
    /// A module asks a person in the middle of a call.
    Elicit {
        /// The turn.
        turn: TurnId,
        /// The call.
        call: CallId,
        /// What it asks.
        message: String,
        /// JSON Schema of the answer.
        schema: Value,
    },
}

/// Commands about a module.
#[derive(Debug, Clone)]
pub enum ModuleCommand {
    /// Somebody wants it to run.
    Start {
        /// The module.
        module: ModuleId,
    },
    /// Somebody wants it to end and stay so.
    Stop {
        /// The module.
        module: ModuleId,
    },
    /// Somebody wants it to end and to be started again.
    Restart {
        /// The module.
        module: ModuleId,
    },
    /// The definition in force has this module, has it changed, or no longer has it: bring it to
    /// that.
    Converge {
        /// The module.
        module: ModuleId,
    },
    /// Somebody calls a tool directly.
    Call {
        /// The module.
        module: ModuleId,
        /// Name of the tool within it.
        tool: String,
        /// Arguments.
        args: Value,
    },
    /// It answers.
    Healthy {
        /// The module.
        module: ModuleId,
        /// The start that it is the outcome of.
        start: Seq,
        /// Its process.
        pid: Option<u32>,
        /// The protocol that was agreed on.
        protocol: String,
        /// What the sandbox enforces.
        sandbox: Option<String>,
        /// Its tools; `None`: as before.
        tools: Option<Vec<ToolDefinition>>,
    },
    /// It does not answer as it should.
    Unhealthy {
        /// The module.
        module: ModuleId,
        /// The start whose process it is.
        start: Seq,
        /// Why.
        reason: String,
    },
    /// It could not be started, or it ended without being told to.
    Ended {
        /// The module.
        module: ModuleId,
        /// The start whose process it was.
        start: Seq,
        /// How, one line.
        reason: String,
        /// What its restart policy is to make of it.
        ended: Ended,
    },
    /// It ended since it was told to.
    Stopped {
        /// The module.
        module: ModuleId,
        /// The start whose process it was.
        start: Seq,
        /// How.
        outcome: StopOutcome,
        /// How long it took, in milliseconds.
        took_ms: u64,
        /// Why it was told to, where the journal does not know: `shutdown`.
        reason: Option<String>,
    },
    /// It says something without being asked.
    Said(ModuleEvent),
    /// It wrote to its standard error.
    Logged(ModuleLog),
}

/// Commands about schedules.
#[derive(Debug, Clone)]
pub enum ScheduleCommand {
    /// Somebody defines a schedule, or changes one that the mob file does not define.
    Put(Box<Schedule>),
    /// The definition in force has this schedule, has it changed, or no longer has it.
    Converge {
        /// The schedule.
        schedule: ScheduleId,
    },
    /// Forget it.
    Remove {
        /// The schedule.
        schedule: ScheduleId,
    },
    /// It fires no longer.
    Pause {
        /// The schedule.
        schedule: ScheduleId,
        /// Why.
        reason: Option<String>,
    },
    /// It fires again, from now on.
    Resume {
        /// The schedule.
        schedule: ScheduleId,
    },
    /// Run it now, once.
    Trigger {
        /// The schedule.
        schedule: ScheduleId,
    },
    /// Run what was due in the past.
    Backfill {
        /// The schedule.
        schedule: ScheduleId,
        /// Due times of the past, oldest first, that have no occurrence.
        dues: Vec<Time>,
    },
    /// A host that owns time asks what is due: these schedules, at this time.
    Tick {
        /// The schedules of the host.
        schedules: Vec<Schedule>,
        /// The host's time.
        tick: Time,
    },
}

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
    /// Somebody defines a route, or changes one that the mob file does not define, or brings a
    /// disabled one back.
    RoutePut(Box<Route>),
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

/// What a restart policy makes of the end of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It ended with success.
    Success,
    /// It failed: an exit with an error, a signal, a broken protocol, no answer in time.
    Failure,
    /// It will fail each time, so that it is not worth another try: a sandbox that can't be had.
    Hopeless,
}

impl Command {
    /// The row of the lifecycle table that governs it; `None`: the runtime's own, always allowed.
    pub fn verb(&self) -> Option<Verb> {
        match self {
            Self::Turn(TurnCommand::ToolResolve { .. })
            | Self::Approval(ApprovalCommand::Decide { .. } | ApprovalCommand::Revoke { .. }) => {
                Some(Verb::Decide)
            }
            Self::Turn(TurnCommand::Cancel { .. })
            | Self::Message(MessageCommand::Cancel { .. })
            | Self::Member(MemberCommand::Cancel { .. }) => Some(Verb::Cancel),
            // What came of an effect is recorded as long as there is a writer.
            Self::Runtime(_)
            | Self::Turn(_)
            | Self::Approval(ApprovalCommand::Elicit { .. })
            | Self::Module(
                ModuleCommand::Healthy { .. }
                | ModuleCommand::Unhealthy { .. }
                | ModuleCommand::Ended { .. }
                | ModuleCommand::Stopped { .. }
                | ModuleCommand::Said(_)
                | ModuleCommand::Logged(_),
            )
            | Self::Delivery(DeliveryCommand::Ended { .. })
            | Self::Member(MemberCommand::EngineStarted { .. }) => None,
            Self::Mob(_)
            | Self::Member(_)
            | Self::Edge(_)
            | Self::Message(_)
            | Self::Module(_)
            | Self::Schedule(_)
            | Self::Delivery(_) => Some(Verb::Mutate),
        }
    }
}

/// What a caller is told once the decision is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// A message was accepted.
    Message {
        /// The message.
        message: MessageId,
        /// Position of its event.
        seq: Seq,
    },
    /// It is done.
    Done {
        /// Position of the first event that it led to; without one, the head of the journal.
        seq: Seq,
    },
}

impl Answer {
    /// The answer that a command got whose first event is `envelope`.
    pub fn from_event(envelope: &Envelope) -> Self {
        match &envelope.event {
            Event::MessageAccepted(e) => Self::Message {
                message: e.message,
                seq: envelope.seq,
            },
            _ => Self::Done { seq: envelope.seq },
        }
    }

    /// Position of the first event that the command led to.
    pub fn seq(self) -> Seq {
        match self {
            Self::Message { seq, .. } | Self::Done { seq } => seq,
        }
    }
}
