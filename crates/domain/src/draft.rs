//! A decision in the making: events that will follow one another.

use crate::command::Answer;
use crate::definition::Profile;
use crate::definition::nearest_name;
use crate::event::{Event, NewEvent};
use crate::id::{MemberId, MessageId, ModuleId, ScheduleId, Seq, TurnId};
use crate::principal::Principal;
use crate::refusal::{Refusal, RefusalKind};
use crate::state::{Member, MemberMode, State};
use crate::time::Time;
use crate::world::World;
use std::collections::{BTreeMap, BTreeSet};

/// Stands in events for a reason that nobody gave.
pub(crate) const REASON_MISSING: &str = "no reason was given";

/// What the writer appends for a command, and what the caller is told once that is durable.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The events, in order; empty where nothing changes.
    pub events: Vec<NewEvent>,
    /// The answer.
    pub answer: Answer,
}

/// Events that a decision collects. Positions are known in advance, since there is one writer.
pub(crate) struct Draft<'w> {
    pub(crate) world: &'w World,
    pub(crate) now: Time,
    pub(crate) actor: Principal,
    events: Vec<NewEvent>,
    /// What this decision has ended already; the state still shows it as open.
    ended: BTreeSet<TurnId>,
    dropped: BTreeSet<MessageId>,
    /// Modules that this decision starts.
    starting: BTreeSet<ModuleId>,
    /// How many messages this decision accepts for each member.
    accepted: BTreeMap<MemberId, usize>,
    /// Occurrences that this decision ends.
    occurrences: BTreeSet<(ScheduleId, Time)>,
}

impl<'w> Draft<'w> {
    pub(crate) fn new(world: &'w World, now: Time, actor: Principal) -> Self {
        Self {
            world,
            now,
            actor,
            events: Vec::new(),
            ended: BTreeSet::new(),
            dropped: BTreeSet::new(),
            starting: BTreeSet::new(),
            accepted: BTreeMap::new(),
            occurrences: BTreeSet::new(),
        }
    }

    pub(crate) fn state(&self) -> &'w State {
        &self.world.state
    }

    /// The position that the next event gets.
    pub(crate) fn next_seq(&self) -> Seq {
        let drafted = self.events.len() as Seq;
        self.world.state.head + drafted + 1
    }

    /// Whether this decision has led to nothing yet, so that the state shows all there is.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Adds an event that follows from the runtime's own rules, and returns its position.
    pub(crate) fn emit(&mut self, event: impl Into<Event>) -> Seq {
        self.push(NewEvent::of(event))
    }

    /// Adds an event that another one led to.
    pub(crate) fn emit_from(&mut self, cause: Seq, event: impl Into<Event>) -> Seq {
        self.push(NewEvent::of(event).caused_by(cause))
    }

    /// Adds an event that the caller asked for.
    pub(crate) fn order(&mut self, event: impl Into<Event>) -> Seq {
        let event = NewEvent::of(event).by(&self.actor);
        self.push(event)
    }

    pub(crate) fn push(&mut self, event: NewEvent) -> Seq {
        let seq = self.next_seq();
        match &event.event {
            Event::TurnCompleted(e) => _ = self.ended.insert(e.turn),
            Event::TurnFailed(e) => _ = self.ended.insert(e.turn),
            Event::TurnCancelled(e) => _ = self.ended.insert(e.turn),
            Event::MessageCancelled(e) => _ = self.dropped.insert(e.message),
            Event::MessageExpired(e) => _ = self.dropped.insert(e.message),
            Event::ModuleStarting(e) => _ = self.starting.insert(e.module.clone()),
            Event::MessageAccepted(e) => {
                *self.accepted.entry(e.to.clone()).or_insert(0) += 1;
            }
            Event::OccurrenceCompleted(e) => self.occurrence_ends(&e.schedule, e.due),
            Event::OccurrenceFailed(e) if e.retry_at.is_none() => {
                self.occurrence_ends(&e.schedule, e.due);
            }
            Event::OccurrenceSkipped(e) => self.occurrence_ends(&e.schedule, e.due),
            _ => {}
        }
        self.events.push(event);
        seq
    }

    /// Whether this decision has ended the turn.
    pub(crate) fn has_ended(&self, turn: TurnId) -> bool {
        self.ended.contains(&turn)
    }

    /// Whether this decision has withdrawn the message.
    pub(crate) fn has_dropped(&self, message: MessageId) -> bool {
        self.dropped.contains(&message)
    }

    fn occurrence_ends(&mut self, schedule: &ScheduleId, due: Time) {
        self.occurrences.insert((schedule.clone(), due));
    }

    /// Whether this decision has ended the occurrence.
    pub(crate) fn has_ended_occurrence(&self, schedule: &ScheduleId, due: Time) -> bool {
        !self.occurrences.is_empty() && self.occurrences.contains(&(schedule.clone(), due))
    }

    /// How many messages this decision accepts for the member.
    pub(crate) fn accepted_for(&self, member: &MemberId) -> usize {
        self.accepted.get(member).copied().unwrap_or(0)
    }

    /// Whether this decision starts the module.
    pub(crate) fn is_starting(&self, module: &ModuleId) -> bool {
        self.starting.contains(module)
    }

    pub(crate) fn into_events(self) -> Vec<NewEvent> {
        self.events
    }

    /// Ends with the position of the first event, or of the head where nothing changes.
    pub(crate) fn done(self) -> Decision {
        let first = self.world.state.head + 1;
        let seq = if self.events.is_empty() {
            self.world.state.head
        } else {
            first
        };
        Decision {
            events: self.events,
            answer: Answer::Done { seq },
        }
    }

    /// The member, or the refusal that it does not exist.
    pub(crate) fn member(&self, id: &MemberId) -> Result<&'w Member, Refusal> {
        self.state().members.get(id).ok_or_else(|| {
            let present = self.state().present().map(|(id, _)| id.as_str());
            let hint = match nearest_name(id.as_str(), present) {
                Some(near) => format!("did you mean {near}? `mobkit ps` lists the members"),
                None => "`mobkit ps` lists the members".to_owned(),
            };
            let message = format!("there is no member {id}");
            Refusal::new(RefusalKind::Missing, "member.not_found", message).hint(hint)
        })
    }

    /// The member, or the refusal that it does not exist or has left.
    pub(crate) fn present(&self, id: &MemberId) -> Result<&'w Member, Refusal> {
        let member = self.member(id)?;
        if member.mode == MemberMode::Retired {
            return Err(Refusal::new(
                RefusalKind::Conflict,
                "member.retired",
                format!("{id} has left the mob"),
            )
            .hint("`member/spawn` brings it back as a new generation"));
        }
        Ok(member)
    }

    /// The profile of the name, if the definition has it.
    pub(crate) fn profile(&self, id: &crate::id::ProfileId) -> Option<&'w Profile> {
        self.world.definition.profiles.get(id)
    }
}
