//! A second opinion: what the events say is open and owed, kept without the state.

use mobkit_domain::command::StepRef;
use mobkit_domain::effect::Effect;
use mobkit_domain::event::{
    Envelope, Event, Expiry, Fence, Matter, MessageMode, ResolveHow, ToolEffect, Verdict,
    WaitingFor,
};
use mobkit_domain::id::{ApprovalId, CallId, MemberId, MessageId, TurnId};
use mobkit_domain::time::Time;
use mobkit_domain::tool::is_built_in;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A call whose outcome is not recorded.
#[derive(Clone)]
struct OpenCall {
    tool: String,
    args: Value,
    /// What was begun and still runs, if anything.
    running: Option<ToolEffect>,
    /// What its module asks in the middle of it.
    asks: Option<ApprovalId>,
}

#[derive(Clone)]
struct OpenTurn {
    member: MemberId,
    fence: Fence,
    external: bool,
    checkpointed: bool,
    step: u32,
    attempt: u32,
    not_before: Time,
    calls: BTreeMap<CallId, OpenCall>,
}

/// What the events say.
#[derive(Clone, Default)]
pub struct Ledger {
    fences: BTreeMap<MemberId, (Fence, bool)>,
    /// The last fencing token of every member, those that were deleted included.
    tokens: BTreeMap<MemberId, Fence>,
    turns: BTreeMap<TurnId, OpenTurn>,
    /// Messages without an end.
    pub messages: BTreeSet<MessageId>,
    expiries: BTreeMap<MessageId, Time>,
    /// Messages that wait to join the turn that ran when they came.
    steers: BTreeMap<MessageId, TurnId>,
    /// How often a call was begun, and how often a person said that it is to be made again.
    begun: BTreeMap<CallId, (u32, u32)>,
}

impl Ledger {
    fn turn(&mut self, id: TurnId) -> &mut OpenTurn {
        self.turns
            .get_mut(&id)
            .unwrap_or_else(|| panic!("{id} is not open"))
    }

    fn end_message(&mut self, id: MessageId) {
        self.steers.remove(&id);
        assert!(
            self.messages.remove(&id),
            "{id} ends twice, or was never accepted"
        );
    }

    fn end_turn(&mut self, id: TurnId, messages: &[MessageId]) {
        assert!(
            self.turns.remove(&id).is_some(),
            "{id} ends twice, or never began"
        );
        for message in messages {
            self.end_message(*message);
        }
    }

    fn end_call(&mut self, id: TurnId, call: CallId, now: Time) {
        let turn = self.turn(id);
        assert!(
            turn.calls.remove(&call).is_some(),
            "{call} ends twice, or was never asked for"
        );
        if turn.calls.is_empty() && !turn.external {
            (turn.step, turn.attempt, turn.not_before) = (turn.step + 1, 1, now);
        }
    }

    /// How often a call with an effect may have been handed out.
    pub fn handed_out_max(&self, call: CallId) -> u32 {
        1 + self.begun.get(&call).map_or(0, |(_, again)| *again)
    }

    pub fn feed(&mut self, envelope: &Envelope) {
        let now = envelope.time;
        match &envelope.event {
            Event::MemberSpawned(e) => {
                self.restarted(&e.member, e.fence, e.starting);
            }
            Event::MemberReset(e) => self.restarted(&e.member, e.fence, e.starting),
            Event::MemberRespawned(e) => self.restarted(&e.member, e.fence, e.starting),
            Event::MemberUpdated(e) if e.engine_started => self.settled(&e.member),
            Event::MemberFailed(e) => self.settled(&e.member),
            Event::MemberRetiring(e) => self.settled(&e.member),
            Event::MemberQuarantined(e) => self.settled(&e.member),
            Event::MemberRetired(e) => {
                let open = self.turns.values().any(|turn| turn.member == e.member);
                assert!(!open, "{} leaves in a turn", e.member);
                self.fences.remove(&e.member);
            }
            Event::MessageAccepted(e) => {
                assert!(self.messages.insert(e.message));
                self.expiries.extend(e.expires.map(|due| (e.message, due)));
                let mut turns = self.turns.iter();
                let running = turns.find(|(_, turn)| turn.member == e.to);
                if let (MessageMode::Steer, Some((turn, _))) = (e.mode, running) {
                    self.steers.insert(e.message, *turn);
                }
            }
            Event::MessageSteered(e) => {
                let due = self.expiries.get(&e.message);
                assert!(due.is_none_or(|due| now < *due), "{} is over", e.message);
                assert_eq!(self.steers.remove(&e.message), Some(e.turn));
                let turn = self.turn(e.turn);
                let between = turn.calls.is_empty() || turn.external;
                assert!(between, "{} joins in the middle of a step", e.message);
            }
            Event::MessageDelivered(e) => {
                self.steers.remove(&e.message);
                let due = self.expiries.get(&e.message);
                assert!(due.is_none_or(|due| now < *due), "{} is over", e.message);
            }
            Event::MessageCancelled(e) => self.end_message(e.message),
            Event::MessageExpired(e) => self.end_message(e.message),
            other => self.feed_turn(other, now),
        }
    }

    fn restarted(&mut self, member: &MemberId, fence: Fence, starting: bool) {
        let earlier = self.tokens.insert(member.clone(), fence);
        let grows = earlier.is_none_or(|earlier| earlier < fence);
        assert!(grows, "{member} gets {fence:?} after {earlier:?}");
        self.fences.insert(member.clone(), (fence, starting));
    }

    fn settled(&mut self, member: &MemberId) {
        if let Some((_, starting)) = self.fences.get_mut(member) {
            *starting = false;
        }
    }

    fn feed_turn(&mut self, event: &Event, now: Time) {
        match event {
            Event::TurnStarted(e) => {
                let busy = self.turns.values().any(|turn| turn.member == e.member);
                assert!(!busy, "{} works on two turns", e.member);
                let turn = OpenTurn {
                    member: e.member.clone(),
                    fence: e.fence,
                    external: e.external,
                    checkpointed: false,
                    step: 1,
                    attempt: 1,
                    not_before: now,
                    calls: BTreeMap::new(),
                };
                self.turns.insert(e.turn, turn);
            }
            Event::TurnResumed(e) => {
                let fence = self.fences[&e.member].0;
                let turn = self.turn(e.turn);
                (turn.fence, turn.checkpointed) = (fence, false);
            }
            Event::TurnCheckpointed(e) => self.turn(e.turn).checkpointed = true,
            Event::TurnCompleted(e) => self.end_turn(e.turn, &e.messages),
            Event::TurnFailed(e) => self.end_turn(e.turn, &e.messages),
            Event::TurnCancelled(e) => self.end_turn(e.turn, &e.messages),
            Event::ModelReplied(e) => {
                let turn = self.turn(e.turn);
                assert!(!turn.checkpointed, "{} was put aside", e.turn);
                assert!(
                    turn.calls.is_empty(),
                    "{} answers beside open calls",
                    e.turn
                );
                assert!(
                    turn.external || turn.step == e.step,
                    "{} skips a step",
                    e.turn
                );
                let open = |call: &mobkit_domain::event::RecordedCall| OpenCall {
                    tool: call.tool.clone(),
                    args: call.args.clone(),
                    running: None,
                    asks: None,
                };
                turn.calls = e.calls.iter().map(|call| (call.call, open(call))).collect();
            }
            Event::ModelFailed(e) => {
                let turn = self.turn(e.turn);
                turn.attempt += 1;
                turn.not_before = e.retry_at.unwrap_or(now);
            }
            other => self.feed_call(other, now),
        }
    }

    fn feed_call(&mut self, event: &Event, now: Time) {
        match event {
            Event::ToolStarted(e) => {
                let begun = self.begun.entry(e.call).or_default();
                begun.0 += 1;
                assert!(begun.0 <= 1 + begun.1, "{} is begun twice", e.call);
                self.call(of_turn(e.turn), e.call).running = Some(e.effect);
            }
            // Who waits for a decision was not begun, or its module waits in the call.
            Event::TurnWaiting(e) if e.on == WaitingFor::Approval => {}
            Event::TurnWaiting(e) => self.call(e.turn, e.call).running = None,
            Event::ApprovalRequested(e) => {
                let is_question = matches!(e.matter, Matter::Elicitation { .. });
                let call = self.call(e.turn, e.call);
                assert_eq!(call.running.is_some(), is_question, "{}", e.approval);
                call.asks = is_question.then_some(e.approval);
            }
            Event::ApprovalDecided(e) => {
                let call = self.call(e.turn, e.call);
                let was_question = call.asks.take().is_some();
                if let (Verdict::Edit, Some(args), false) = (e.decision, &e.args, was_question) {
                    call.args.clone_from(args);
                }
            }
            Event::ApprovalExpired(e) if e.outcome == Expiry::Withdrawn => {
                if let Some(turn) = self.turns.get_mut(&e.turn) {
                    let call = turn.calls.get_mut(&e.call).expect("its call is open");
                    assert_eq!(call.asks.take(), Some(e.approval));
                }
            }
            Event::ToolUnknown(e) => self.call(of_turn(e.turn), e.call).running = None,
            Event::ToolFinished(e) => self.end_call(of_turn(e.turn), e.call, now),
            Event::ToolFailed(e) => self.end_call(of_turn(e.turn), e.call, now),
            Event::ToolRefused(e) => self.end_call(e.turn, e.call, now),
            Event::ToolResolved(e) if e.how == ResolveHow::Run => {
                self.begun.entry(e.call).or_default().1 += 1;
                let checkpointed = self.turn(e.turn).checkpointed;
                let running = (!checkpointed).then_some(ToolEffect::Effect);
                self.call(e.turn, e.call).running = running;
            }
            Event::ToolResolved(e) => self.end_call(e.turn, e.call, now),
            _ => {}
        }
    }

    fn call(&mut self, turn: TurnId, call: CallId) -> &mut OpenCall {
        let open = self.turn(turn).calls.get_mut(&call);
        open.unwrap_or_else(|| panic!("{call} is not open"))
    }

    /// What the outside world owes; `resumed` of an engine's turn is not told apart.
    pub fn owed(&self) -> Vec<Effect> {
        let starting = self
            .fences
            .iter()
            .filter(|(_, (_, starting))| *starting)
            .map(|(member, (fence, _))| Effect::EngineStart {
                member: member.clone(),
                fence: *fence,
            });
        let mut owed: Vec<Effect> = starting.collect();
        for (id, turn) in self.turns.iter().filter(|(_, turn)| !turn.checkpointed) {
            for (call, open) in &turn.calls {
                let in_flight = open.running.filter(|_| !is_built_in(&open.tool));
                let Some(effect) = in_flight.filter(|_| open.asks.is_none()) else {
                    continue;
                };
                owed.push(Effect::ToolCall {
                    turn: Some(*id),
                    member: Some(turn.member.clone()),
                    call: *call,
                    tool: open.tool.clone(),
                    args: open.args.clone(),
                    effect,
                });
            }
            let (turn_id, member, fence) = (*id, turn.member.clone(), turn.fence);
            if turn.external {
                let joining = self.steers.iter().filter(|(_, turn)| **turn == *id);
                owed.extend(joining.map(|(message, _)| Effect::EngineSteer {
                    turn: *id,
                    member: turn.member.clone(),
                    fence: turn.fence,
                    message: *message,
                }));
                owed.push(Effect::EngineTurn {
                    turn: turn_id,
                    member,
                    fence,
                    resumed: true,
                });
            } else if turn.calls.is_empty() {
                let at = StepRef {
                    turn: turn_id,
                    fence,
                    step: turn.step,
                    attempt: turn.attempt,
                };
                owed.push(Effect::ModelCall {
                    at,
                    member,
                    not_before: turn.not_before,
                });
            }
        }
        owed
    }
}

/// The turn of a call: nobody calls a module directly here.
fn of_turn(turn: Option<TurnId>) -> TurnId {
    turn.expect("every call is of a turn")
}
