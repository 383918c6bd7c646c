//! The envelope around every event.

use super::Event;
use crate::id::{MobId, ModuleId, Seq, TurnId};
use crate::principal::Principal;
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// Where an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A member's own doing: turns, model replies, tool calls, messages.
    Agent,
    /// A helper process.
    Module,
    /// mobkit itself.
    Runtime,
    /// A person.
    Operator,
    /// A program that embeds mobkit or calls its API.
    App,
}

/// An event with its place in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// Position in the journal of the mob, dense from 1.
    pub seq: Seq,
    /// When the writer decided it.
    pub time: Time,
    /// Whose journal.
    pub mob: MobId,
    /// Kind and data.
    #[serde(flatten)]
    pub event: Event,
    /// Where it comes from.
    pub source: Source,
    /// What it is about: `noun/id`.
    pub subject: String,
    /// The turn in which it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// The event that led to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Seq>,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Principal>,
    /// Trace id of the request, as the caller gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The idempotency key of the request, on the first event that it led to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyUse>,
}

/// An idempotency key, with what it was used for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUse {
    /// The key; it counts per principal.
    pub key: String,
    /// Digest of the request: a repeated key must repeat it.
    pub digest: String,
}

impl Envelope {
    /// The envelope as clients see it: with the one-line `summary` that the server makes.
    pub fn to_wire(&self) -> serde_json::Value {
        let mut wire = serde_json::to_value(self).expect("events have string keys only");
        wire["summary"] = self.event.summary().into();
        wire
    }
}

/// An event that was decided and has no place yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Kind and data.
    pub event: Event,
    /// The event that led to this one.
    pub cause: Option<Seq>,
    /// Who asked for it; `None` where the runtime follows its own rules.
    pub actor: Option<Principal>,
    /// The idempotency key of the request.
    pub key: Option<KeyUse>,
}

impl NewEvent {
    /// An event that follows from the runtime's own rules.
    pub fn of(event: impl Into<Event>) -> Self {
        Self {
            event: event.into(),
            cause: None,
            actor: None,
            key: None,
        }
    }

    /// Names the event that led to this one.
    #[must_use]
    pub fn caused_by(mut self, cause: Seq) -> Self {
        self.cause = Some(cause);
        self
    }

    /// Names who asked for it.
    #[must_use]
    pub fn by(mut self, actor: &Principal) -> Self {
        self.actor = Some(actor.clone());
        self
    }

    /// Gives the event its place.
    pub fn at(self, seq: Seq, time: Time, mob: &MobId) -> Envelope {
        Envelope {
            seq,
            time,
            mob: mob.clone(),
            source: self.event.source(self.actor.as_ref()),
            subject: self.event.subject(),
            turn: self.event.turn(),
            cause: self.cause,
            actor: self.actor,
            trace: None,
            key: self.key,
            event: self.event,
        }
    }
}

/// An envelope whose source can't have made its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an event of kind {kind} can't come from {found:?}")]
pub struct SourceError {
    /// The kind of the event.
    pub kind: &'static str,
    /// The source that was given.
    pub found: Source,
}

impl Envelope {
    /// Refuses a source that does not fit the kind.
    pub fn check_source(&self) -> Result<(), SourceError> {
        let direct = self.event.turn().is_none();
        let fits = match self.event.own_source() {
            Source::Module => self.source == Source::Module,
            // A direct call is nobody's turn.
            Source::Agent if direct && self.event.kind().starts_with("tool.") => {
                self.source != Source::Module
            }
            // What a member does in its turn is recorded by nobody else.
            Source::Agent if !self.event.kind().starts_with("message.") => {
                self.source == Source::Agent || self.event.may_be_ordered()
            }
            _ => self.source != Source::Module,
        };
        if fits {
            Ok(())
        } else {
            Err(SourceError {
                kind: self.event.kind(),
                found: self.source,
            })
        }
    }
}

impl Event {
    /// The source of this kind where nobody in particular asked for it.
    fn own_source(&self) -> Source {
        match self {
            Self::ModuleEvent(_) | Self::ModuleLog(_) => Source::Module,
            // What a schedule says is nobody else's.
            Self::MessageAccepted(e) if e.from == Principal::Runtime => Source::Runtime,
            own if own.is_of_agent() => Source::Agent,
            _ => Source::Runtime,
        }
    }

    /// Whether it is a member's own doing.
    fn is_of_agent(&self) -> bool {
        matches!(
            self,
            Self::MessageAccepted(_)
                | Self::MessageDelivered(_)
                | Self::MessageSteered(_)
                | Self::MessageCancelled(_)
                | Self::MessageExpired(_)
                | Self::MessageRefused(_)
                | Self::TurnStarted(_)
                | Self::TurnResumed(_)
                | Self::TurnWaiting(_)
                | Self::TurnCorrected(_)
                | Self::TurnCompleted(_)
                | Self::TurnFailed(_)
                | Self::TurnCancelled(_)
                | Self::TurnCheckpointed(_)
                | Self::ModelReplied(_)
                | Self::ModelFailed(_)
                | Self::SessionCompacted(_)
                | Self::ToolStarted(_)
                | Self::ToolFinished(_)
                | Self::ToolFailed(_)
                | Self::ToolRefused(_)
                | Self::ToolUnknown(_)
                | Self::ToolResolved(_)
                | Self::ApprovalRequested(_)
                | Self::ApprovalExpired(_)
                | Self::BudgetWarned(_)
                | Self::BudgetExhausted(_)
                | Self::TaskAdded(_)
                | Self::TaskUpdated(_)
                | Self::EngineLog(_)
                | Self::EngineEvent(_)
        )
    }

    /// Whether a person or a program may order what this kind records of a turn.
    fn may_be_ordered(&self) -> bool {
        matches!(
            self,
            Self::TurnCancelled(_) | Self::TurnResumed(_) | Self::ToolResolved(_)
        )
    }

    fn source(&self, actor: Option<&Principal>) -> Source {
        match actor {
            Some(Principal::Operator(_)) => Source::Operator,
            Some(Principal::App(_)) => Source::App,
            Some(Principal::Agent(_)) => Source::Agent,
            Some(Principal::Runtime) | None => self.own_source(),
        }
    }

    /// The module that was called directly.
    fn direct_module(&self) -> Option<&str> {
        let tool = match self {
            Self::ToolStarted(e) => &e.tool,
            Self::ToolFinished(e) => &e.tool,
            Self::ToolFailed(e) => &e.tool,
            Self::ToolUnknown(e) => &e.tool,
            _ => return None,
        };
        crate::tool::module_of(tool).map(|(module, _)| module)
    }

    /// What the event is about: `noun/id`.
    pub fn subject(&self) -> String {
        match self {
            Self::RuntimeStarted(_)
            | Self::RuntimeReady(_)
            | Self::RuntimeDraining(_)
            | Self::RuntimeStopped(_)
            | Self::RuntimeRecovered(_)
            | Self::ErrorRaised(_)
            | Self::AccessDenied(_) => "runtime".to_owned(),
            Self::MobDefined(_)
            | Self::MobPlanned(_)
            | Self::MobApplied(_)
            | Self::MobReset(_)
            | Self::MobPaused(_)
            | Self::MobResumed(_)
            | Self::MobTrimmed(_) => "mob".to_owned(),
            Self::EdgeWired(e) => format!("edge/{}", e.edge()),
            Self::EdgeUnwired(e) => format!("edge/{}", e.edge()),
            Self::EdgeFailed(e) => format!("edge/{}", e.edge()),
            Self::RouteDefined(e) => format!("route/{}", e.route),
            Self::RouteRemoved(e) => format!("route/{}", e.route),
            Self::HostRegistered(e) => format!("host/{}", e.host),
            Self::HostLeft(e) => format!("host/{}", e.host),
            Self::TaskAdded(e) => format!("task/{}", e.task),
            Self::TaskUpdated(e) => format!("task/{}", e.task),
            Self::DeliveryQueued(_)
            | Self::DeliveryAttempted(_)
            | Self::DeliveryDelivered(_)
            | Self::DeliveryFailed(_)
            | Self::DeliveryUnknown(_)
            | Self::DeliveryDead(_)
            | Self::DeliveryReplayed(_) => {
                let delivery = self.delivery();
                delivery.map_or_else(String::new, |id| format!("delivery/{id}"))
            }
            Self::EngineStarted(_)
            | Self::EngineStopped(_)
            | Self::EngineLog(_)
            | Self::EngineEvent(_)
            | Self::EngineGap(_) => {
                let engine = self.engine();
                engine.map_or_else(String::new, |engine| format!("engine/{engine}"))
            }
            other => {
                let module = other.module().map(ModuleId::as_str);
                let module = module.or_else(|| other.direct_module());
                match (other.member(), module, other.schedule()) {
                    (Some(member), ..) => format!("member/{member}"),
                    (None, Some(module), _) => format!("module/{module}"),
                    (None, None, Some(schedule)) => format!("schedule/{schedule}"),
                    (None, None, None) => "mob".to_owned(),
                }
            }
        }
    }
}
