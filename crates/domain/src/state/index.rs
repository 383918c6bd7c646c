//! The indexes of the state: who could work, who waits, who leaves. Recomputed for a member or a
//! turn whenever an event touches it, so that the writer never searches.

use super::{MemberMode, MemberState, Stage, State};
use crate::id::{MemberId, MessageId, TurnId};
use crate::time::Time;

impl State {
    /// The state of a member as clients see it.
    pub fn member_state(&self, id: &MemberId) -> Option<MemberState> {
        let member = self.members.get(id)?;
        Some(match member.mode {
            MemberMode::Starting => MemberState::Starting,
            MemberMode::Paused => MemberState::Paused,
            MemberMode::Retiring => MemberState::Retiring,
            MemberMode::Retired => MemberState::Retired,
            MemberMode::Failed => MemberState::Failed,
            MemberMode::Quarantined => MemberState::Quarantined,
            MemberMode::Active => match member.turn.and_then(|turn| self.turns.get(&turn)) {
                None => MemberState::Idle,
                Some(turn) if turn.is_working() => MemberState::Working,
                Some(_) => MemberState::Waiting,
            },
        })
    }

    /// Runs `change` and notes the time if the visible state of the member changed.
    pub(super) fn with_member(&mut self, id: &MemberId, now: Time, change: impl FnOnce(&mut Self)) {
        let before = self.member_state(id);
        change(self);
        self.index_member(id);
        if self.member_state(id) != before
            && let Some(member) = self.members.get_mut(id)
        {
            member.since = now;
        }
        self.index_helper(id, now);
    }

    fn index_member(&mut self, id: &MemberId) {
        let Some(member) = self.members.get_mut(id) else {
            self.leaving.remove(id);
            return;
        };
        let takes_turns = matches!(member.mode, MemberMode::Active | MemberMode::Retiring);
        let ready_as = match member.queue.front() {
            Some(message) if takes_turns && member.turn.is_none() => {
                Some((member.profile.clone(), *message))
            }
            _ => None,
        };
        let was = std::mem::replace(&mut member.ready_as, ready_as.clone());
        let done =
            member.mode == MemberMode::Retiring && member.turn.is_none() && member.queue.is_empty();
        if was != ready_as {
            if let Some((role, message)) = was
                && let Some(waiting) = self.ready.get_mut(&role)
            {
                waiting.remove(&(message, id.clone()));
                if waiting.is_empty() {
                    self.ready.remove(&role);
                }
            }
            if let Some((role, message)) = ready_as {
                self.ready
                    .entry(role)
                    .or_default()
                    .insert((message, id.clone()));
            }
        }
        if done {
            self.leaving.insert(id.clone());
        } else {
            self.leaving.remove(id);
        }
    }

    /// Brings the indexes up to date with what a turn does now.
    pub(super) fn index_turn(&mut self, id: TurnId) {
        let Some(turn) = self.turns.get_mut(&id) else {
            self.owed.remove(&id);
            return;
        };
        let counts = turn.is_working();
        if counts != turn.counted {
            turn.counted = counts;
            let working = self.working.entry(turn.model.clone()).or_insert(0);
            *working = if counts {
                *working + 1
            } else {
                working.saturating_sub(1)
            };
            if *working == 0 {
                self.working.remove(&turn.model);
            }
        }
        if turn.is_owed() {
            self.owed.insert(id);
        } else {
            self.owed.remove(&id);
        }
    }

    /// The messages that wait to join a turn, in the order of acceptance.
    pub fn steering(&self, id: TurnId) -> impl Iterator<Item = MessageId> + '_ {
        let member = self.turns.get(&id).map(|turn| &turn.member);
        let member = member.and_then(|member| self.members.get(member));
        let waiting = member.into_iter().flat_map(|member| &member.queue).copied();
        waiting.filter(move |message| {
            let message = self.messages.get(message);
            message.is_some_and(|message| message.steers == Some(id))
        })
    }

    /// The turn is between two steps: what waits to join it does so now.
    pub(super) fn between_steps(&mut self, id: TurnId) {
        if self.steering(id).next().is_some() {
            self.steered.insert(id);
        }
    }

    /// Forgets a turn that has taken in all that waited to join it.
    pub(super) fn index_steered(&mut self, id: TurnId) {
        if self.steered.contains(&id) && self.steering(id).next().is_none() {
            self.steered.remove(&id);
        }
    }

    /// Takes a turn out of the count of its model, until it is indexed again.
    pub(super) fn uncount(&mut self, id: TurnId) {
        let Some(turn) = self.turns.get_mut(&id) else {
            return;
        };
        if std::mem::take(&mut turn.counted)
            && let Some(working) = self.working.get_mut(&turn.model)
        {
            *working = working.saturating_sub(1);
            if *working == 0 {
                self.working.remove(&turn.model);
            }
        }
    }

    /// Forgets an ended turn in the indexes.
    pub(super) fn unindex_turn(&mut self, turn: &super::Turn, id: TurnId) {
        self.owed.remove(&id);
        self.steered.remove(&id);
        if turn.counted
            && let Some(working) = self.working.get_mut(&turn.model)
        {
            *working = working.saturating_sub(1);
            if *working == 0 {
                self.working.remove(&turn.model);
            }
        }
    }

    /// Whether turns may begin at all.
    pub fn line_runs(&self) -> bool {
        self.stage == Stage::Ready && !self.paused
    }
}
