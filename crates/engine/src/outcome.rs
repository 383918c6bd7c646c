//! Who waits for the end of a message's turn, of a tool call or of an approval.

use crate::engine::Engine;
use mobkit_domain::event::{Event, Expiry, Verdict};
use mobkit_domain::id::{ApprovalId, CallId, MessageId, Seq, TurnId};
use mobkit_domain::text::Text;
use serde_json::Value;
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

/// What came of a tool call: what the caller is told, and whether that is a failure.
pub type CallOutcome = Result<Text, String>;

/// What came of an approval.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Decided {
    /// The call was let pass, with these arguments where somebody gave others.
    Passed(Option<Value>),
    /// It was not, or there was nothing left to decide.
    Stopped,
}

/// What somebody waits for.
#[derive(Debug, Clone, Copy)]
enum Key {
    Message(MessageId),
    Call(CallId),
    Approval(ApprovalId),
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
    let receiver = wait(&mut engine.shared.outcomes.lock().messages, message);
    waiter(engine, receiver, Key::Message(message))
}

/// Waits for the end of a tool call, from now on.
pub(crate) fn of_call(engine: &Engine, call: CallId) -> Waiter<CallOutcome> {
    let receiver = wait(&mut engine.shared.outcomes.lock().calls, call);
    waiter(engine, receiver, Key::Call(call))
}

/// Waits for the end of an approval, from now on.
pub(crate) fn of_approval(engine: &Engine, approval: ApprovalId) -> Waiter<Decided> {
    let receiver = wait(&mut engine.shared.outcomes.lock().approvals, approval);
    waiter(engine, receiver, Key::Approval(approval))
}

type WaitingFor<K, T> = HashMap<K, Vec<oneshot::Sender<T>>>;

fn wait<K: Eq + Hash, T>(waiting: &mut WaitingFor<K, T>, key: K) -> oneshot::Receiver<T> {
    let (sender, receiver) = oneshot::channel();
    waiting.entry(key).or_default().push(sender);
    receiver
}

fn waiter<T>(engine: &Engine, receiver: oneshot::Receiver<T>, key: Key) -> Waiter<T> {
    let engine = engine.clone();
    Waiter {
        receiver,
        _place: Place { engine, key },
    }
}

fn tell<K: Eq + Hash, T: Clone>(waiting: &mut WaitingFor<K, T>, key: &K, outcome: &T) {
    for waiter in waiting.remove(key).into_iter().flatten() {
        // A waiter that has gone away needs no answer.
        let _ = waiter.send(outcome.clone());
    }
}

fn forget<K: Eq + Hash, T>(waiting: &mut WaitingFor<K, T>, key: &K) {
    if let Some(list) = waiting.get_mut(key) {
        list.retain(|waiter| !waiter.is_closed());
        if list.is_empty() {
            waiting.remove(key);
        }
    }
}

#[derive(Default)]
struct Waiting {
    messages: WaitingFor<MessageId, Outcome>,
    calls: WaitingFor<CallId, CallOutcome>,
    approvals: WaitingFor<ApprovalId, Decided>,
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
            Key::Approval(id) => forget(&mut waiting.approvals, &id),
        }
    }

    /// Tells waiters about a durable event.
    pub(crate) fn on_event(&self, seq: Seq, event: &Event) {
        match event {
            Event::TurnCompleted(e) => self.turn_ended(&e.messages, e.turn, seq),
            Event::TurnFailed(e) => self.turn_ended(&e.messages, e.turn, seq),
            Event::TurnCancelled(e) => self.turn_ended(&e.messages, e.turn, seq),
            Event::MessageCancelled(e) => self.dropped(e.message, seq),
            Event::MessageExpired(e) => self.dropped(e.message, seq),
            Event::ApprovalDecided(_) | Event::ApprovalExpired(_) => self.decided(event),
            other => {
                if let Some((call, outcome)) = end_of_call(other) {
                    tell(&mut self.lock().calls, &call, &outcome);
                }
            }
        }
    }

    fn turn_ended(&self, messages: &[MessageId], turn: TurnId, seq: Seq) {
        let mut waiting = self.lock();
        for message in messages {
            tell(&mut waiting.messages, message, &Outcome::Turn { turn, seq });
        }
    }

    fn dropped(&self, message: MessageId, seq: Seq) {
        tell(
            &mut self.lock().messages,
            &message,
            &Outcome::Dropped { seq },
        );
    }

    fn decided(&self, event: &Event) {
        if let Some((approval, decided)) = end_of_approval(event) {
            tell(&mut self.lock().approvals, &approval, &decided);
        }
    }
}

/// Said of a call of which nobody can say whether it happened, where no reason was recorded.
const UNKNOWN: &str = "what made it ended in the middle";

/// The call that an event brings to its end, and what came of it. A call of a turn that nobody can
/// say anything about is not at its end: a person resolves it.
pub fn end_of_call(event: &Event) -> Option<(CallId, CallOutcome)> {
    match event {
        Event::ToolFinished(e) => Some((e.call, Ok(e.result.clone()))),
        Event::ToolFailed(e) => Some((e.call, Err(e.reason.clone()))),
        Event::ToolRefused(e) => Some((e.call, Err(e.reason.clone()))),
        Event::ToolResolved(e) => Some((e.call, Ok(e.result.clone()?))),
        Event::ToolUnknown(e) if e.turn.is_none() => {
            let reason = e.reason.as_deref().unwrap_or(UNKNOWN);
            Some((e.call, Err(reason.to_owned())))
        }
        _ => None,
    }
}

/// The approval that an event brings to its end, and what came of it. One that waits on although
/// its time is over is not at its end.
fn end_of_approval(event: &Event) -> Option<(ApprovalId, Decided)> {
    match event {
        Event::ApprovalDecided(e) => {
            let decided = match e.decision {
                Verdict::Approve | Verdict::Edit => Decided::Passed(e.args.clone()),
                Verdict::Deny => Decided::Stopped,
            };
            Some((e.approval, decided))
        }
        Event::ApprovalExpired(e) => match e.outcome {
            Expiry::Denied | Expiry::Withdrawn => Some((e.approval, Decided::Stopped)),
            Expiry::Held => None,
        },
        _ => None,
    }
}
