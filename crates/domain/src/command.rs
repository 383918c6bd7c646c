//! Commands: what somebody asks of the writer, and what came of an effect.

use crate::definition::MemberSpec;
use crate::edge::Edge;
use crate::event::{
    AccessDenied, DrainReport, EdgeOrigin, Envelope, ErrorEvent, Event, Fence, KeyUse,
    MemberOrigin, MessageMode, MobApplied, MobDefined, MobPlanned, ResolveHow, RetireMode,
    UnwireReason,
};
use crate::id::{CallId, MemberId, MessageId, ProfileId, Seq, TurnId};
use crate::lifecycle::Verb;
use crate::model::{Failure, Reply};
use crate::principal::Principal;
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
        /// The turn.
        turn: TurnId,
        /// The call.
        call: CallId,
        /// What the model is told; an error is told as well.
        outcome: Result<Text, String>,
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

impl Command {
    /// The row of the lifecycle table that governs it; `None`: the runtime's own, always allowed.
    pub fn verb(&self) -> Option<Verb> {
        match self {
            Self::Turn(TurnCommand::ToolResolve { .. }) => Some(Verb::Decide),
            Self::Turn(TurnCommand::Cancel { .. })
            | Self::Message(MessageCommand::Cancel { .. })
            | Self::Member(MemberCommand::Cancel { .. }) => Some(Verb::Cancel),
            // What came of an effect is recorded as long as there is a writer.
            Self::Runtime(_)
            | Self::Turn(_)
            | Self::Member(MemberCommand::EngineStarted { .. }) => None,
            Self::Mob(_) | Self::Member(_) | Self::Edge(_) | Self::Message(_) => Some(Verb::Mutate),
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
