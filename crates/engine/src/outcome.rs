//! Who waits for the end of a message's turn or of a tool call.

use crate::engine::Engine;
use mobkit_domain::event::Event;
use mobkit_domain::id::{CallId, MessageId, Seq, TurnId};
use mobkit_domain::text::Text;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;

/// What came of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The turn that took it has ended.
    Turn {
        /// The turn.
        turn: TurnId,
        /// Position of the event that ended it.
        seq: Seq,
    },
    /// It was withdrawn or expired before a turn took it.
    Dropped {
        /// Position of the event.
        seq: Seq,
    },
}

/// What came of a tool call: what the model is told, and whether that is a failure.
pub(crate) type CallOutcome = Result<Text, String>;

/// What somebody waits for.
#[derive(Debug, Clone, Copy)]
enum Key {
    Message(MessageId),
    Call(CallId),
}

/// Waits, and leaves nothing behind when it has waited enough. The receiver is dropped first, so
/// that its sender counts as closed when it is looked for.
pub(crate) struct Waiter<T> {
    receiver: oneshot::Receiver<T>,
    _place: Place,
}

struct Place {
    engine: Engine,
    key: Key,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.engine.shared.outcomes.forget(self.key);
    }
}

impl<T> Waiter<T> {
    /// What came of it; `None`: nobody will say it any longer.
    pub(crate) async fn ended(mut self) -> Option<T> {
        (&mut self.receiver).await.ok()
    }
}

/// Waits for the end of the turn that takes a message, from now on.
pub(crate) fn of_message(engine: &Engine, message: MessageId) -> Waiter<Outcome> {
    let (sender, receiver) = oneshot::channel();
    engine
        .shared
        .outcomes
        .lock()
        .messages
        .entry(message)
        .or_default()
        .push(sender);
    Waiter {
        receiver,
        _place: Place {
            engine: engine.clone(),
            key: Key::Message(message),
        },
    }
}

/// Waits for the end of a tool call, from now on.
pub(crate) fn of_call(engine: &Engine, call: CallId) -> Waiter<CallOutcome> {
    let (sender, receiver) = oneshot::channel();
    engine
        .shared
        .outcomes
        .lock()
        .calls
        .entry(call)
        .or_default()
        .push(sender);
    Waiter {
        receiver,
        _place: Place {
            engine: engine.clone(),
            key: Key::Call(call),
        },
    }
}

fn forget<K: Eq + Hash, T>(waiting: &mut HashMap<K, Vec<oneshot::Sender<T>>>, key: &K) {
    if let Some(list) = waiting.get_mut(key) {
        list.retain(|waiter| !waiter.is_closed());
        if list.is_empty() {
            waiting.remove(key);
        }
    }
}

#[derive(Default)]
struct Waiting {
    messages: HashMap<MessageId, Vec<oneshot::Sender<Outcome>>>,
    calls: HashMap<CallId, Vec<oneshot::Sender<CallOutcome>>>,
}

/// The waiters. Correlation is by id, never by text.
#[derive(Default)]
pub(crate) struct Outcomes {
    waiting: Mutex<Waiting>,
}

impl Outcomes {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, key: Key) {
        let mut waiting = self.lock();
        match key {
            Key::Message(id) => forget(&mut waiting.messages, &id),
            Key::Call(id) => forget(&mut waiting.calls, &id),
        }
    }

    /// Tells waiters about a durable event.
    pub(crate) fn on_event(&self, seq: Seq, event: &Event) {
        match event {
            Event::TurnCompleted(e) => self.turn_ended(&e.messages, e.turn, seq),
            Event::TurnFailed(e) => self.turn_ended(&e.messages, e.turn, seq),
            Event::TurnCancelled(e) => self.turn_ended(&e.messages, e.turn, seq),
            Event::MessageCancelled(e) => self.message_ended(e.message, &Outcome::Dropped { seq }),
            Event::MessageExpired(e) => self.message_ended(e.message, &Outcome::Dropped { seq }),
            Event::ToolFinished(e) => self.call_ended(e.call, &Ok(e.result.clone())),
            Event::ToolFailed(e) => self.call_ended(e.call, &Err(e.reason.clone())),
            Event::ToolRefused(e) => self.call_ended(e.call, &Err(e.reason.clone())),
            Event::ToolResolved(e) => {
                if let Some(result) = &e.result {
                    self.call_ended(e.call, &Ok(result.clone()));
                }
            }
            _ => {}
        }
    }

    fn turn_ended(&self, messages: &[MessageId], turn: TurnId, seq: Seq) {
        for message in messages {
            self.message_ended(*message, &Outcome::Turn { turn, seq });
        }
    }

    fn message_ended(&self, message: MessageId, outcome: &Outcome) {
        let waiters = self.lock().messages.remove(&message);
        for waiter in waiters.into_iter().flatten() {
            // A waiter that has gone away needs no answer.
            let _ = waiter.send(outcome.clone());
        }
    }

    fn call_ended(&self, call: CallId, outcome: &CallOutcome) {
        let waiters = self.lock().calls.remove(&call);
        for waiter in waiters.into_iter().flatten() {
            let _ = waiter.send(outcome.clone());
        }
    }
}
