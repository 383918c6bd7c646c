//! Who asks what of the writer.

use super::{
    ApprovalCommand, DeliveryCommand, EdgeCommand, EngineCommand, HostCommand, MemberCommand,
    MessageCommand, MobCommand, ModuleCommand, RuntimeCommand, ScheduleCommand, TurnCommand,
};
use crate::event::KeyUse;
use crate::lifecycle::Verb;
use crate::principal::Principal;

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
    /// About an external engine.
    Engine(EngineCommand),
    /// About a host program.
    Host(HostCommand),
    /// About a schedule.
    Schedule(ScheduleCommand),
    /// About a route or a delivery.
    Delivery(DeliveryCommand),
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
            | Self::Engine(_)
            | Self::Host(HostCommand::Leave { .. })
            | Self::Member(MemberCommand::EngineStarted { .. }) => None,
            Self::Mob(_)
            | Self::Member(_)
            | Self::Edge(_)
            | Self::Message(_)
            | Self::Module(_)
            | Self::Host(HostCommand::Register { .. })
            | Self::Schedule(_)
            | Self::Delivery(_) => Some(Verb::Mutate),
        }
    }
}
