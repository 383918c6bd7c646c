//! What each event does to the state. Cannot fail: the journal is already true, and an event about
//! something unknown changes nothing.

use super::{Member, MemberMode, Message, Pause, SessionSpan, Stage, State};
use crate::command::Answer;
use crate::edge::Edge;
use crate::event::{
    EdgeOrigin, Envelope, Event, Fence, MemberPaused, MemberRespawned, MemberSpawned,
    MemberUpdated, MessageAccepted, MessageMode, MessageSteered, UnwireReason,
};
use crate::id::{MemberId, MessageId, Seq, SessionId};
use crate::time::Time;
use std::collections::{BTreeSet, VecDeque};

impl State {
    /// Folds one event in. Events must come in order.
    pub fn apply(&mut self, envelope: &Envelope) {
        let in_flight = self.module_calls(envelope.turn);
        let stage = self.stage;
        self.fold(envelope);
        self.apply_direct(envelope.time, &envelope.event);
        self.module_calls_follow(&in_flight, envelope.turn, envelope.time);
        if self.stage != stage {
            self.index_modules();
        }
    }

    fn fold(&mut self, envelope: &Envelope) {
        let (seq, now) = (envelope.seq, envelope.time);
        self.head = seq;
        if let (Some(key), Some(actor)) = (&envelope.key, &envelope.actor) {
            let answer = Answer::from_event(envelope);
            self.keys.remember(actor, key, answer, now);
        }
        match &envelope.event {
            Event::RuntimeStarted(e) => {
                self.epoch = e.epoch;
                self.stage = Stage::Started;
                self.engines_gone();
                self.hosts_gone();
            }
            Event::RuntimeReady(_) => {
                self.stage = Stage::Ready;
                self.line_since = now;
                self.idle_times_begin(now);
            }
            Event::RuntimeDraining(_) => self.stage = Stage::Draining,
            Event::RuntimeStopped(_) => self.stage = Stage::Stopped,
            Event::MobDefined(e) => self.definition_digest = Some(e.digest.clone()),
            Event::MobPaused(_) => self.paused = true,
            Event::MobResumed(_) => {
                self.paused = false;
                self.line_since = now;
                self.idle_times_begin(now);
            }
            Event::MobTrimmed(e) => self.mob_trimmed(e, now),
            Event::RuntimeRecovered(_)
            | Event::MobPlanned(_)
            | Event::MobApplied(_)
            | Event::MobReset(_)
            | Event::EdgeFailed(_)
            | Event::MessageRefused(_)
            | Event::BudgetExhausted(_)
            | Event::ErrorRaised(_)
            | Event::AccessDenied(_) => {}
            Event::EdgeWired(e) => self.edge_wired(&e.edge(), e.origin),
            Event::EdgeUnwired(e) => self.edge_unwired(&e.edge(), e.reason),
            Event::MessageAccepted(e) => self.message_accepted(e, now),
            Event::MessageCancelled(e) => self.message_dropped(&e.member, e.message, now),
            Event::MessageExpired(e) => self.message_dropped(&e.member, e.message, now),
            Event::MessageDelivered(e) => {
                self.with_member(&e.member, now, |state| state.message_delivered(e));
            }
            Event::MessageSteered(e) => {
                self.with_member(&e.member, now, |state| state.message_steered(e));
            }
            _ if self.apply_member(seq, now, &envelope.event) => {}
            _ if self.apply_approval(now, &envelope.event) => {}
            _ if self.apply_module(seq, now, &envelope.event) => {}
            _ if self.apply_engine(now, &envelope.event) => {}
            _ if self.apply_host(&envelope.event) => {}
            _ if self.apply_schedule(seq, now, &envelope.event) => {}
            _ if self.apply_delivery(seq, now, &envelope.event) => {}
            _ if self.apply_task(seq, now, &envelope.event) => {}
            other => self.apply_turn(now, other),
        }
    }

    fn apply_member(&mut self, seq: Seq, now: Time, event: &Event) -> bool {
        match event {
            Event::MemberSpawned(e) => self.member_spawned(e, seq, now),
            Event::MemberUpdated(e) => {
                self.with_member(&e.member, now, |state| state.member_updated(e));
            }
            Event::MemberRespawned(e) => {
                self.with_member(&e.member, now, |state| state.member_respawned(e));
            }
            Event::MemberReset(e) => {
                self.with_member(&e.member, now, |state| {
                    state.session_begins(&e.member, SessionId(seq), seq);
                    state.member_restarts(&e.member, e.fence, e.starting);
                });
            }
            Event::MemberPaused(e) => {
                self.set_mode(&e.member, MemberMode::Paused, now);
                self.paused_for(e);
            }
            Event::MemberResumed(e) => {
                let starting = self
                    .members
                    .get(&e.member)
                    .is_some_and(|member| member.starting);
                let mode = if starting {
                    MemberMode::Starting
                } else {
                    MemberMode::Active
                };
                self.set_mode(&e.member, mode, now);
            }
            Event::MemberRetiring(e) => {
                if let Some(member) = self.members.get_mut(&e.member) {
                    member.leaving_why = e.reason.clone().or(member.leaving_why.take());
                }
                self.set_mode(&e.member, MemberMode::Retiring, now);
            }
            Event::MemberRetired(e) if e.deleted => {
                self.session_ends(&e.member, seq);
                if let Some(member) = self.members.remove(&e.member) {
                    let generation = member.fence.generation;
                    self.deleted.insert(e.member.clone(), generation);
                }
                self.leaving.remove(&e.member);
            }
            Event::MemberRetired(e) => {
                self.session_ends(&e.member, seq);
                self.set_mode(&e.member, MemberMode::Retired, now);
                self.forget_grants_of(&e.member);
                self.helper_left(&e.member);
            }
            Event::MemberFailed(e) => {
                self.note_error(&e.member, &e.error);
                self.set_mode(&e.member, MemberMode::Failed, now);
            }
            Event::MemberQuarantined(e) => {
                self.note_error(&e.member, &e.reason);
                self.set_mode(&e.member, MemberMode::Quarantined, now);
            }
            _ => return false,
        }
        true
    }

    fn paused_for(&mut self, e: &MemberPaused) {
        let Some(member) = self.members.get_mut(&e.member) else {
            return;
        };
        member.pause = Some(Pause {
            reason: e.reason.clone(),
            budget: e.budget.clone(),
            until: e.until,
        });
        if let Some(until) = e.until {
            self.budget_dues.insert((until, e.member.clone()));
        }
    }

    fn set_mode(&mut self, id: &MemberId, mode: MemberMode, now: Time) {
        let pause = self
            .members
            .get_mut(id)
            .and_then(|member| member.pause.take());
        if let Some(until) = pause.and_then(|pause| pause.until) {
            self.budget_dues.remove(&(until, id.clone()));
        }
        self.with_member(id, now, |state| {
            if let Some(member) = state.members.get_mut(id) {
                member.mode = mode;
                member.starting &= matches!(mode, MemberMode::Starting | MemberMode::Paused);
            }
        });
    }

    pub(super) fn note_error(&mut self, id: &MemberId, error: &str) {
        if let Some(member) = self.members.get_mut(id) {
            member.last_error = Some(error.to_owned());
        }
    }

    fn member_spawned(&mut self, e: &MemberSpawned, seq: Seq, now: Time) {
        let session = e.session.unwrap_or(SessionId(seq));
        let earlier = self.members.remove(&e.member);
        self.deleted.remove(&e.member);
        let (replies, usage, cost, spent, unpriced) = earlier.map_or_else(Default::default, |m| {
            (m.replies, m.usage, m.cost, m.spent, m.unpriced)
        });
        let member = Member {
            profile: e.profile.clone(),
            fence: e.fence,
            session,
            origin: e.origin,
            helper: self.helper_of(e),
            labels: e.labels.clone(),
            context: e.context.clone(),
            additional_instructions: e.additional_instructions.clone(),
            mode: if e.starting {
                MemberMode::Starting
            } else {
                MemberMode::Active
            },
            starting: e.starting,
            offers: None,
            since: now,
            queue: VecDeque::new(),
            turn: None,
            peers: BTreeSet::new(),
            last_error: None,
            leaving_why: None,
            replies,
            usage,
            cost,
            spent,
            session_tokens: 0,
            pause: None,
            unpriced,
            ready_as: None,
        };
        self.members.insert(e.member.clone(), member);
        self.session_begins(&e.member, session, seq);
        self.helper_joined(&e.member, now);
    }

    fn session_begins(&mut self, id: &MemberId, session: SessionId, seq: Seq) {
        self.session_ends(id, seq);
        if let Some(member) = self.members.get_mut(id) {
            member.session = session;
            member.session_tokens = 0;
        }
        let span = SessionSpan {
            member: id.clone(),
            from: seq,
            until: None,
        };
        self.sessions.entry(session).or_default().push(span);
    }

    fn session_ends(&mut self, id: &MemberId, seq: Seq) {
        let Some(session) = self.members.get(id).map(|member| member.session) else {
            return;
        };
        for span in self.sessions.entry(session).or_default() {
            if span.member == *id && span.until.is_none() {
                span.until = Some(seq);
            }
        }
    }

    fn member_updated(&mut self, e: &MemberUpdated) {
        let Some(member) = self.members.get_mut(&e.member) else {
            return;
        };
        if let Some(labels) = &e.labels {
            member.labels.clone_from(labels);
        }
        if let Some(context) = &e.context {
            member.context.clone_from(context);
        }
        if let Some(instructions) = &e.additional_instructions {
            member.additional_instructions.clone_from(instructions);
        }
        if let Some(origin) = e.origin {
            member.origin = origin;
        }
        if let Some(offers) = e.offers {
            member.offers = Some(offers);
        }
        if e.engine_started {
            member.starting = false;
            if member.mode == MemberMode::Starting {
                member.mode = MemberMode::Active;
            }
        }
    }

    fn member_respawned(&mut self, e: &MemberRespawned) {
        if let Some(member) = self.members.get_mut(&e.member) {
            member.profile = e.profile.clone();
        }
        self.member_restarts(&e.member, e.fence, e.starting);
    }

    fn member_restarts(&mut self, id: &MemberId, fence: Fence, starting: bool) {
        let Some(member) = self.members.get_mut(id) else {
            return;
        };
        member.fence = fence;
        member.starting = starting;
        member.offers = None;
        member.last_error = None;
        // A pause outlives a respawn: only who paused it lets it go on.
        if member.mode != MemberMode::Paused {
            member.mode = if starting {
                MemberMode::Starting
            } else {
                MemberMode::Active
            };
        }
    }

    fn edge_wired(&mut self, edge: &Edge, origin: EdgeOrigin) {
        self.wired.insert(edge.clone(), origin);
        if origin == EdgeOrigin::Managed {
            self.managed.insert(edge.clone());
        }
        for (end, other) in [(&edge.a, &edge.b), (&edge.b, &edge.a)] {
            if let Some(member) = self.members.get_mut(end) {
                member.peers.insert(other.clone());
            }
        }
    }

    fn edge_unwired(&mut self, edge: &Edge, reason: UnwireReason) {
        self.wired.remove(edge);
        if reason != UnwireReason::MemberRetired {
            self.managed.remove(edge);
        }
        for (end, other) in [(&edge.a, &edge.b), (&edge.b, &edge.a)] {
            if let Some(member) = self.members.get_mut(end) {
                member.peers.remove(other);
            }
        }
    }

    fn message_accepted(&mut self, e: &MessageAccepted, now: Time) {
        let message = Message {
            from: e.from.clone(),
            origin: e.origin.clone().unwrap_or_else(|| e.from.clone()),
            schedule: e.schedule.clone(),
            to: e.to.clone(),
            mode: e.mode,
            expires: e.expires,
            call: e.call,
            accepted: now,
            correlation: e.correlation.clone(),
            turn: None,
            steers: self
                .members
                .get(&e.to)
                .and_then(|member| member.turn)
                .filter(|_| e.mode == MessageMode::Steer),
        };
        self.messages.insert(e.message, message);
        if let Some(expires) = e.expires {
            self.expiries.insert((expires, e.message));
        }
        self.with_member(&e.to, now, |state| state.enqueue(e));
    }

    /// Puts a message where it waits: one that interrupts comes before all that do not.
    fn enqueue(&mut self, e: &MessageAccepted) {
        let Some(member) = self.members.get_mut(&e.to) else {
            return;
        };
        let interrupts = |waiting: &MessageId| {
            let waiting = self.messages.get(waiting);
            waiting.is_some_and(|waiting| waiting.mode == MessageMode::Interrupt)
        };
        let place = match e.mode {
            MessageMode::Interrupt => member.queue.iter().position(|id| !interrupts(id)),
            MessageMode::Queue | MessageMode::Steer | MessageMode::Reject => None,
        };
        member
            .queue
            .insert(place.unwrap_or(member.queue.len()), e.message);
    }

    fn message_steered(&mut self, e: &MessageSteered) {
        self.forget_expiry(e.message);
        self.unqueue(&e.member, e.message);
        if let Some(message) = self.messages.get_mut(&e.message) {
            message.turn = Some(e.turn);
        }
        if let Some(turn) = self.turns.get_mut(&e.turn) {
            turn.messages.push(e.message);
        }
        self.index_steered(e.turn);
    }

    fn message_dropped(&mut self, member: &MemberId, message: MessageId, now: Time) {
        self.forget_expiry(message);
        let dropped = self.messages.remove(&message);
        self.with_member(member, now, |state| state.unqueue(member, message));
        if let Some(turn) = dropped.and_then(|dropped| dropped.steers) {
            self.index_steered(turn);
        }
    }

    fn message_delivered(&mut self, e: &crate::event::MessageDelivered) {
        self.forget_expiry(e.message);
        self.unqueue(&e.member, e.message);
        if let Some(message) = self.messages.get_mut(&e.message) {
            message.turn = Some(e.turn);
        }
    }

    fn forget_expiry(&mut self, message: MessageId) {
        if let Some(expires) = self.messages.get(&message).and_then(|m| m.expires) {
            self.expiries.remove(&(expires, message));
        }
    }

    fn unqueue(&mut self, member: &MemberId, message: MessageId) {
        if let Some(member) = self.members.get_mut(member) {
            if member.queue.front() == Some(&message) {
                member.queue.pop_front();
            } else {
                member.queue.retain(|waiting| *waiting != message);
            }
        }
    }
}
