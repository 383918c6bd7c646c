//! Every accepted message is answered once, or visibly not; no turn happens twice.

use super::Seen;
use crate::run::Run;
use mobkit::event::Event;
use mobkit::id::{MessageId, TurnId};
use std::collections::{BTreeMap, BTreeSet};

/// What came of messages and turns.
#[derive(Default)]
struct Lives {
    ends: BTreeMap<MessageId, usize>,
    taken: BTreeSet<MessageId>,
    turns: BTreeMap<TurnId, usize>,
    replies: BTreeSet<(TurnId, u32)>,
    keys: BTreeMap<String, usize>,
    broken: Vec<String>,
}

impl Lives {
    fn turn_ended(&mut self, turn: TurnId, messages: &[MessageId]) {
        match self.turns.get_mut(&turn) {
            Some(ends) => *ends += 1,
            None => self.broken.push(format!("{turn} ended and never began")),
        }
        for message in messages {
            self.message_ended(*message);
        }
    }

    fn message_ended(&mut self, message: MessageId) {
        match self.ends.get_mut(&message) {
            Some(ends) => *ends += 1,
            None => self
                .broken
                .push(format!("{message} ended and was never accepted")),
        }
    }

    fn on(&mut self, event: &Event) {
        match event {
            Event::MessageAccepted(e) if self.ends.insert(e.message, 0).is_some() => {
                self.broken
                    .push(format!("{} was accepted twice", e.message));
            }
            Event::TurnStarted(e) => {
                if self.turns.insert(e.turn, 0).is_some() {
                    self.broken.push(format!("{} began twice", e.turn));
                }
                for message in &e.messages {
                    if !self.taken.insert(*message) {
                        self.broken
                            .push(format!("{message} was taken by two turns"));
                    }
                }
            }
            Event::MessageSteered(e) if !self.taken.insert(e.message) => {
                self.broken
                    .push(format!("{} was taken by two turns", e.message));
            }
            Event::ModelReplied(e) if !self.replies.insert((e.turn, e.step)) => {
                self.broken
                    .push(format!("{} has two replies of step {}", e.turn, e.step));
            }
            Event::TurnCompleted(e) => self.turn_ended(e.turn, &e.messages),
            Event::TurnFailed(e) => self.turn_ended(e.turn, &e.messages),
            Event::TurnCancelled(e) => self.turn_ended(e.turn, &e.messages),
            Event::MessageCancelled(e) => self.message_ended(e.message),
            Event::MessageExpired(e) => self.message_ended(e.message),
            _ => {}
        }
    }
}

/// What does not hold of messages.
pub(super) fn broken(seen: &Seen, run: &Run) -> Vec<String> {
    let mut lives = Lives::default();
    for envelope in &seen.events {
        if let Some(used) = &envelope.key {
            *lives.keys.entry(used.key.clone()).or_default() += 1;
        }
        lives.on(&envelope.event);
    }
    let mut broken = lives.broken;
    for (message, ends) in lives.ends.iter().filter(|(_, ends)| **ends != 1) {
        broken.push(format!("{message} ended {ends} times"));
    }
    for (turn, ends) in lives.turns.iter().filter(|(_, ends)| **ends != 1) {
        broken.push(format!("{turn} ended {ends} times"));
    }
    for (key, uses) in lives.keys.iter().filter(|(_, uses)| **uses != 1) {
        broken.push(format!("{key} is on {uses} events"));
    }
    for asked in &run.callers.0 {
        let key = asked.params["key"].as_str().unwrap_or_default();
        let recorded = lives.keys.get(key).copied().unwrap_or(0);
        match (&asked.answer, asked.refused) {
            (Some(_), _) if recorded != 1 => {
                broken.push(format!(
                    "{key} was accepted and is recorded {recorded} times"
                ));
            }
            (None, true) if recorded != 0 => {
                broken.push(format!("{key} was refused and is recorded"));
            }
            (None, false) => broken.push(format!("{key} was never answered")),
            _ => {}
        }
    }
    broken
}
