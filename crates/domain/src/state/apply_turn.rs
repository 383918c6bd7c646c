//! What the events of turns, model calls and tool calls do to the state.

use super::{Call, CallState, Pass, State, Turn, TurnPhase};
use crate::event::{
    Event, ModelFailed, ModelReplied, ResolveHow, SessionCompacted, ToolEffect, ToolStarted,
    TurnResumed, TurnStarted, TurnWaiting, WaitingFor,
};
use crate::id::{CallId, MemberId, TurnId};
use crate::model::{Cost, Usage};
use crate::time::Time;

impl State {
    pub(super) fn apply_turn(&mut self, now: Time, event: &Event) {
        let Some((member, id)) = event.member().cloned().zip(event.turn()) else {
            return;
        };
        self.with_member(&member, now, |state| {
            match event {
                Event::TurnStarted(e) => state.turn_started(e, now),
                Event::TurnCompleted(_) | Event::TurnCancelled(_) => state.turn_ended(&member, id),
                Event::TurnFailed(e) => {
                    state.note_error(&member, &e.reason);
                    state.turn_ended(&member, id);
                }
                Event::TurnResumed(e) => state.turn_resumed(e),
                Event::TurnWaiting(e) => state.turn_waiting(e),
                Event::TurnCheckpointed(_) => {
                    if let Some(turn) = state.turns.get_mut(&id) {
                        turn.checkpointed = true;
                    }
                }
                Event::TurnCorrected(_) => {
                    if let Some(turn) = state.turns.get_mut(&id) {
                        turn.corrected = true;
                    }
                    state.next_step(id, now);
                }
                Event::SessionCompacted(e) => state.session_compacted(e, now),
                Event::BudgetWarned(e) => {
                    if let Some(member) = state.members.get_mut(&e.member) {
                        member.spent.warned(&e.budget, now);
                    }
                }
                Event::ModelReplied(e) => state.model_replied(e, now),
                Event::ModelFailed(e) => state.model_failed(e),
                _ => state.apply_tool(id, now, event),
            }
            state.index_turn(id);
        });
    }

    fn apply_tool(&mut self, id: TurnId, now: Time, event: &Event) {
        match event {
            Event::ToolStarted(e) => self.tool_started(id, e),
            Event::ToolUnknown(e) => self.set_call(id, e.call, CallState::Unknown),
            Event::ToolFinished(e) => self.call_done(id, e.call, now),
            Event::ToolFailed(e) => self.call_done(id, e.call, now),
            Event::ToolRefused(e) => self.call_done(id, e.call, now),
            Event::ToolResolved(e) => match e.how {
                ResolveHow::Happened | ResolveHow::GiveUp => self.call_done(id, e.call, now),
                // A turn that was put aside makes the call when it goes on: then it is owed again.
                ResolveHow::Run if self.turns.get(&id).is_some_and(|turn| turn.checkpointed) => {
                    self.owe_again(id, e.call);
                }
                ResolveHow::Run => {
                    let effect = ToolEffect::Effect;
                    self.set_call(id, e.call, CallState::Running { effect });
                }
            },
            _ => {}
        }
    }

    fn tool_started(&mut self, id: TurnId, e: &ToolStarted) {
        let Some(call) = self.call_mut(id, e.call) else {
            return;
        };
        let state = CallState::Running { effect: e.effect };
        let before = std::mem::replace(&mut call.state, state);
        if let CallState::Approved { approval, policy } = before {
            let used = e.approval == Some(approval);
            call.pass = used.then_some(Pass { approval, policy });
        }
    }

    fn owe_again(&mut self, id: TurnId, call: CallId) {
        let pass = self.call_mut(id, call).and_then(|call| call.pass.clone());
        let state = match pass {
            Some(Pass { approval, policy }) => CallState::Approved { approval, policy },
            None => CallState::Owed,
        };
        self.set_call(id, call, state);
    }

    fn turn_started(&mut self, e: &TurnStarted, now: Time) {
        let phase = if e.external {
            TurnPhase::External
        } else {
            TurnPhase::Model {
                attempt: 1,
                not_before: now,
            }
        };
        let turn = Turn {
            member: e.member.clone(),
            messages: e.messages.clone(),
            fence: e.fence,
            profile: e.profile.clone(),
            model: e.model.clone(),
            given_up: Vec::new(),
            attempts_before: 0,
            from: e.from.clone(),
            origin: e.origin.clone().unwrap_or_else(|| e.from.clone()),
            schedule: e.schedule.clone(),
            started: now,
            step: u32::from(!e.external),
            phase,
            calls: Vec::new(),
            external: e.external,
            recoveries: 0,
            checkpointed: false,
            usage: Usage::default(),
            cost: Cost::default(),
            unpriced: e.unpriced,
            corrected: false,
            summary_tokens: 0,
            finish: None,
            counted: false,
        };
        self.turns.insert(e.turn, turn);
        if let Some(member) = self.members.get_mut(&e.member) {
            member.turn = Some(e.turn);
            member.spent.begin_turn(now);
            member.unpriced |= e.unpriced;
        }
    }

    fn turn_ended(&mut self, member: &MemberId, id: TurnId) {
        let Some(turn) = self.turns.remove(&id) else {
            return;
        };
        self.unindex_turn(&turn, id);
        self.forget_grants_in(id);
        for message in &turn.messages {
            self.messages.remove(message);
        }
        if let Some(member) = self.members.get_mut(member) {
            member.turn = None;
        }
    }

    fn turn_resumed(&mut self, e: &TurnResumed) {
        let fence = self.members.get(&e.member).map(|member| member.fence);
        let Some(turn) = self.turns.get_mut(&e.turn) else {
            return;
        };
        turn.checkpointed = false;
        turn.recoveries = e.recoveries;
        if let Some(fence) = fence {
            turn.fence = fence;
        }
    }

    fn turn_waiting(&mut self, e: &TurnWaiting) {
        let (peer, message) = match (e.on, &e.peer, e.message) {
            (WaitingFor::Peer, Some(peer), Some(message)) => (peer.clone(), message),
            _ => return,
        };
        if let Some(call) = self.call_mut(e.turn, e.call) {
            call.state = CallState::Waiting { peer, message };
        }
    }

    fn model_replied(&mut self, e: &ModelReplied, now: Time) {
        if let Some(member) = self.members.get_mut(&e.member) {
            member.replies += 1;
            member.usage += e.usage;
            match e.cost_usd {
                Some(cost) => {
                    member.cost += cost;
                    member.spent.pay(cost, now);
                }
                None => member.unpriced = true,
            }
        }
        let external = self.turns.get(&e.turn).is_some_and(|turn| turn.external);
        if let Some(member) = self.members.get_mut(&e.member).filter(|_| !external) {
            member.session_tokens = e.usage.tokens();
        }
        let Some(turn) = self.turns.get_mut(&e.turn) else {
            return;
        };
        turn.usage += e.usage;
        match e.cost_usd {
            Some(cost) => turn.cost += cost,
            None => turn.unpriced = true,
        }
        turn.recoveries = 0;
        turn.attempts_before = 0;
        turn.step = e.step;
        turn.calls = e
            .calls
            .iter()
            .map(|call| Call {
                id: call.call,
                tool: call.tool.clone(),
                args: call.args.clone(),
                state: CallState::Owed,
                pass: None,
            })
            .collect();
        turn.finish = e.finish.cut().filter(|_| turn.calls.is_empty());
        turn.phase = match (turn.calls.is_empty(), turn.external) {
            (true, true) => TurnPhase::External,
            // Without calls the event that ends the turn follows in the same batch.
            (false, _) | (true, false) => TurnPhase::Calls,
        };
    }

    fn session_compacted(&mut self, e: &SessionCompacted, now: Time) {
        self.compacted.insert(e.session, e.until);
        let Some(member) = self.members.get_mut(&e.member) else {
            return;
        };
        member.session_tokens = e.tokens_after;
        member.usage += e.usage;
        match e.cost_usd {
            Some(cost) => {
                member.cost += cost;
                member.spent.pay(cost, now);
            }
            None => member.unpriced = true,
        }
        if let Some(turn) = self.turns.get_mut(&e.turn) {
            turn.usage += e.usage;
            turn.summary_tokens += e.usage.tokens();
            match e.cost_usd {
                Some(cost) => turn.cost += cost,
                None => turn.unpriced = true,
            }
        }
    }

    fn model_failed(&mut self, e: &ModelFailed) {
        if e.fallback.is_some() {
            // It counts for the model that it uses, from now on for another one.
            self.uncount(e.turn);
        }
        if let (Some(turn), Some(retry_at)) = (self.turns.get_mut(&e.turn), e.retry_at) {
            if let Some(next) = &e.fallback {
                let before = std::mem::replace(&mut turn.model, next.clone());
                turn.given_up.push(before);
                turn.attempts_before = e.attempt;
            }
            turn.phase = TurnPhase::Model {
                attempt: e.attempt + 1,
                not_before: retry_at,
            };
        }
    }

    pub(super) fn call_mut(&mut self, turn: TurnId, call: CallId) -> Option<&mut Call> {
        self.turns
            .get_mut(&turn)?
            .calls
            .iter_mut()
            .find(|c| c.id == call)
    }

    pub(super) fn set_call(&mut self, turn: TurnId, id: CallId, state: CallState) {
        if let Some(call) = self.call_mut(turn, id) {
            call.state = state;
        }
    }

    fn call_done(&mut self, id: TurnId, call: CallId, now: Time) {
        self.set_call(id, call, CallState::Done);
        let Some(turn) = self.turns.get_mut(&id) else {
            return;
        };
        turn.recoveries = 0;
        if turn.calls.iter().all(|call| call.state == CallState::Done) {
            turn.calls.clear();
            if turn.external {
                turn.phase = TurnPhase::External;
            } else {
                self.next_step(id, now);
            }
        }
    }

    /// A native turn asks its model again; what waits to join it does so first.
    fn next_step(&mut self, id: TurnId, now: Time) {
        if let Some(turn) = self.turns.get_mut(&id) {
            turn.step += 1;
            turn.phase = TurnPhase::Model {
                attempt: 1,
                not_before: now,
            };
        }
        self.between_steps(id);
    }
}
