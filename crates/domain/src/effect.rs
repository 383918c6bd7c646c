//! Effects: what the outside world is asked to do, at least once, after the event that wants it is
//! durable. What came of one returns as a command.
//!
//! There is no second ledger of open effects: the state knows each from the event that wants it to
//! the event that records its outcome, so [`open_effects`] rebuilds the set after a crash.

use crate::command::StepRef;
use crate::definition::{Engine, Sink};
use crate::event::{
    DeliveryAttempted, ENGINE_LOST, Envelope, Event, Fence, ToolEffect, ToolStarted, TurnResumed,
};
use crate::id::{CallId, DeliveryId, MemberId, MessageId, ModuleId, Seq, TurnId};
use crate::state::{CallState, MemberMode, ModuleStatus, State, Turn, TurnPhase};
use crate::time::Time;
use crate::world::World;
use serde_json::Value;

/// Something to be done outside the writer.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Call a model.
    ModelCall {
        /// Which call.
        at: StepRef,
        /// Whose turn.
        member: MemberId,
        /// Not before this time.
        not_before: Time,
    },
    /// Call a tool.
    ToolCall {
        /// The turn; `None`: a direct call.
        turn: Option<TurnId>,
        /// Whose turn.
        member: Option<MemberId>,
        /// Stable id of the call.
        call: CallId,
        /// Qualified tool name.
        tool: String,
        /// Arguments.
        args: Value,
        /// What a repeated call does.
        effect: ToolEffect,
    },
    /// Let an external engine run a turn, or go on with it.
    EngineTurn {
        /// The turn.
        turn: TurnId,
        /// Whose turn.
        member: MemberId,
        /// Fencing token of the member.
        fence: Fence,
        /// Whether it had begun before: the engine first looks at what it recorded.
        resumed: bool,
    },
    /// Let an external engine take a message into the turn that it runs.
    EngineSteer {
        /// The turn.
        turn: TurnId,
        /// Whose turn.
        member: MemberId,
        /// Fencing token of the member.
        fence: Fence,
        /// The message.
        message: MessageId,
    },
    /// Let an external engine start a member.
    EngineStart {
        /// The member.
        member: MemberId,
        /// Fencing token of the member.
        fence: Fence,
    },
    /// Let an external engine stop a member.
    EngineStop {
        /// The member.
        member: MemberId,
    },
    /// Start a module.
    ModuleStart {
        /// The module.
        module: ModuleId,
        /// Position of the event that wants it: names the start.
        start: Seq,
    },
    /// Stop the process of a module.
    ModuleStop {
        /// The module.
        module: ModuleId,
        /// The start whose process it is.
        start: Seq,
    },
    /// Make an attempt at a delivery.
    DeliveryAttempt {
        /// The delivery.
        delivery: DeliveryId,
        /// Which attempt, from 1.
        attempt: u32,
    },
    /// Stop everything that runs for a turn.
    Abort {
        /// The turn.
        turn: TurnId,
    },
}

impl Effect {
    /// The turn for which it works, if it works for one.
    pub fn turn(&self) -> Option<TurnId> {
        match self {
            Self::ModelCall { at, .. } => Some(at.turn),
            Self::ToolCall { turn, .. } => *turn,
            Self::EngineTurn { turn, .. }
            | Self::EngineSteer { turn, .. }
            | Self::Abort { turn } => Some(*turn),
            Self::EngineStart { .. }
            | Self::EngineStop { .. }
            | Self::ModuleStart { .. }
            | Self::ModuleStop { .. }
            | Self::DeliveryAttempt { .. } => None,
        }
    }

    fn message(&self) -> Option<MessageId> {
        match self {
            Self::EngineSteer { message, .. } => Some(*message),
            _ => None,
        }
    }

    /// Whether it is asked for again when its turn goes on.
    fn is_anew(&self, resumed: &TurnResumed) -> bool {
        let Self::ToolCall { effect, .. } = self else {
            return true;
        };
        match effect {
            // After a respawn such a call still runs, and after a crash its outcome is unknown.
            ToolEffect::Effect => false,
            // No call is lost with an engine: they are all in this process.
            ToolEffect::Read | ToolEffect::Idempotent => resumed.reason != ENGINE_LOST,
        }
    }
}

fn of_phase(id: TurnId, turn: &Turn, resumed: bool) -> Vec<Effect> {
    if turn.checkpointed {
        return Vec::new();
    }
    match &turn.phase {
        TurnPhase::Model {
            attempt,
            not_before,
        } => {
            let at = StepRef {
                turn: id,
                fence: turn.fence,
                step: turn.step,
                attempt: *attempt,
            };
            vec![Effect::ModelCall {
                at,
                member: turn.member.clone(),
                not_before: *not_before,
            }]
        }
        TurnPhase::External => vec![Effect::EngineTurn {
            turn: id,
            member: turn.member.clone(),
            fence: turn.fence,
            resumed,
        }],
        TurnPhase::Calls => {
            let mut calls: Vec<Effect> = turn
                .calls
                .iter()
                .filter_map(|call| of_call(id, turn, call.id))
                .collect();
            if turn.external && resumed {
                // The engine that waits for these calls died with the process.
                let (member, fence) = (turn.member.clone(), turn.fence);
                calls.push(Effect::EngineTurn {
                    turn: id,
                    member,
                    fence,
                    resumed,
                });
            }
            calls
        }
    }
}

fn of_call(id: TurnId, turn: &Turn, call: CallId) -> Option<Effect> {
    let call = turn.calls.iter().find(|c| c.id == call)?;
    match call.state {
        CallState::Running { effect } => Some(Effect::ToolCall {
            turn: Some(id),
            member: Some(turn.member.clone()),
            call: call.id,
            tool: call.tool.clone(),
            args: call.args.clone(),
            effect,
        }),
        _ => None,
    }
}

/// Whether the member's engine has to be told of it; the native engine keeps nothing per member.
fn is_external(state: &State, member: &MemberId, starting: bool) -> bool {
    starting
        || state
            .members
            .get(member)
            .is_some_and(|m| m.mode == MemberMode::Starting)
}

/// The call that was begun, where somebody other than the writer has to make it.
fn of_started(state: &State, e: &ToolStarted) -> Vec<Effect> {
    // Built-in tools are decided by the writer itself; nobody has to make these calls.
    if crate::tool::is_built_in(&e.tool) {
        return Vec::new();
    }
    let call = match e.turn {
        Some(id) => state
            .turns
            .get(&id)
            .and_then(|turn| of_call(id, turn, e.call)),
        None => state
            .direct_calls
            .get(&e.call)
            .map(|call| Effect::ToolCall {
                turn: None,
                member: None,
                call: e.call,
                tool: call.tool.clone(),
                args: call.args.clone(),
                effect: call.effect,
            }),
    };
    call.into_iter().collect()
}

/// What an event asks of the outside world, given the state right after it.
pub fn effects(state: &State, envelope: &Envelope) -> Vec<Effect> {
    let phase_of = |id: TurnId, resumed: bool| {
        state
            .turns
            .get(&id)
            .map_or_else(Vec::new, |turn| of_phase(id, turn, resumed))
    };
    match &envelope.event {
        Event::TurnStarted(e) => phase_of(e.turn, false),
        Event::TurnResumed(e) => {
            let mut again = phase_of(e.turn, true);
            again.retain(|effect| effect.is_anew(e));
            again.extend(of_steering(state, e.turn));
            again
        }
        Event::MessageAccepted(e) => {
            let steers = state.messages.get(&e.message).and_then(|m| m.steers);
            let mut joining = steers.map_or_else(Vec::new, |turn| of_steering(state, turn));
            joining.retain(|effect| effect.message() == Some(e.message));
            joining
        }
        Event::TurnCorrected(e) => phase_of(e.turn, false),
        Event::ModelFailed(e) if e.retry_at.is_some() => phase_of(e.turn, false),
        Event::ToolStarted(e) => of_started(state, e),
        Event::DeliveryAttempted(e) => of_attempt(state, e),
        Event::ModuleStarting(e) => vec![Effect::ModuleStart {
            module: e.module.clone(),
            start: envelope.seq,
        }],
        Event::ModuleRestarting(e) if e.running => stop_of(state, &e.module),
        Event::ModuleStopping(e) => stop_of(state, &e.module),
        Event::ToolFinished(_)
        | Event::ToolFailed(_)
        | Event::ToolRefused(_)
        | Event::ToolResolved(_) => {
            let Some((id, turn)) = envelope
                .turn
                .and_then(|id| state.turns.get(&id).map(|turn| (id, turn)))
            else {
                return Vec::new();
            };
            match (&envelope.event, &turn.phase) {
                (_, TurnPhase::Model { .. }) => of_phase(id, turn, false),
                (Event::ToolResolved(e), TurnPhase::Calls) => {
                    of_call(id, turn, e.call).into_iter().collect()
                }
                _ => Vec::new(),
            }
        }
        Event::TurnCompleted(e) => vec![Effect::Abort { turn: e.turn }],
        Event::TurnFailed(e) => vec![Effect::Abort { turn: e.turn }],
        Event::TurnCancelled(e) => vec![Effect::Abort { turn: e.turn }],
        Event::TurnCheckpointed(e) => vec![Effect::Abort { turn: e.turn }],
        other => of_member(state, other),
    }
}

/// What becomes of a member in the hands of its engine.
fn of_member(state: &State, event: &Event) -> Vec<Effect> {
    match event {
        Event::MemberSpawned(e) if is_external(state, &e.member, e.starting) => {
            vec![Effect::EngineStart {
                member: e.member.clone(),
                fence: e.fence,
            }]
        }
        Event::MemberRespawned(e) if is_external(state, &e.member, e.starting) => {
            vec![Effect::EngineStart {
                member: e.member.clone(),
                fence: e.fence,
            }]
        }
        Event::MemberReset(e) if is_external(state, &e.member, e.starting) => {
            vec![Effect::EngineStart {
                member: e.member.clone(),
                fence: e.fence,
            }]
        }
        Event::MemberRetired(e) if !e.deleted => {
            vec![Effect::EngineStop {
                member: e.member.clone(),
            }]
        }
        _ => Vec::new(),
    }
}

/// What waits to join a turn that an external engine runs: only the engine can take it in.
fn of_steering(state: &State, id: TurnId) -> Vec<Effect> {
    let turn = state.turns.get(&id);
    let Some(turn) = turn.filter(|turn| turn.external && !turn.checkpointed) else {
        return Vec::new();
    };
    let waiting = state.steering(id);
    waiting
        .map(|message| Effect::EngineSteer {
            turn: id,
            member: turn.member.clone(),
            fence: turn.fence,
            message,
        })
        .collect()
}

/// The attempt, where somebody other than the writer has to make it. Messages to members are
/// accepted in the same batch, and calls of modules are effects of their own.
fn of_attempt(state: &State, e: &DeliveryAttempted) -> Vec<Effect> {
    let route = state.route(&e.route);
    match route.map(|route| &route.spec.sink) {
        Some(Sink::Webhook { .. } | Sink::Email { .. } | Sink::File { .. }) => {
            vec![Effect::DeliveryAttempt {
                delivery: e.delivery,
                attempt: e.attempt,
            }]
        }
        Some(Sink::Member { .. } | Sink::Module { .. }) | None => Vec::new(),
    }
}

fn stop_of(state: &State, module: &ModuleId) -> Vec<Effect> {
    let found = state.modules.get(module);
    let stop = found.map(|found| Effect::ModuleStop {
        module: module.clone(),
        start: found.start,
    });
    stop.into_iter().collect()
}

/// Everything that is asked of the outside world and not yet answered. Attempts at deliveries are
/// not among it: the start has ended those that were in flight.
pub fn open_effects(state: &State) -> Vec<Effect> {
    let starting = state
        .members
        .iter()
        .filter(|(_, member)| member.starting)
        .map(|(id, member)| Effect::EngineStart {
            member: id.clone(),
            fence: member.fence,
        });
    let turns = state.turns.iter().flat_map(|(id, turn)| {
        let mut open = of_phase(*id, turn, true);
        open.extend(of_steering(state, *id));
        open
    });
    let modules = state
        .modules
        .iter()
        .filter(|(_, module)| module.status == ModuleStatus::Starting)
        .map(|(id, module)| Effect::ModuleStart {
            module: id.clone(),
            start: module.start,
        });
    starting.chain(modules).chain(turns).collect()
}

/// What a start dispatches: everything that is open, and every member that another engine than the
/// native one works for, so that an engine that is missing shows at once.
pub fn start_effects(world: &World) -> Vec<Effect> {
    let profiles = &world.definition.profiles;
    let members = world.state.members.iter();
    let started = members.filter(|(_, member)| {
        let profile = profiles.get(&member.profile);
        let external = profile.is_some_and(|profile| profile.engine != Engine::Native);
        let works = matches!(member.mode, MemberMode::Active | MemberMode::Paused);
        external && works && !member.starting
    });
    let started = started.map(|(id, member)| Effect::EngineStart {
        member: id.clone(),
        fence: member.fence,
    });
    started.chain(open_effects(&world.state)).collect()
}
