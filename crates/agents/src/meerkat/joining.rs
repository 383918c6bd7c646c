//! Messages that join a turn while the runtime works on it.
//!
//! The runtime takes such a message at the next boundary of the run under way, and where none comes
//! any more it makes a run of its own of it, right after that one. Either is part of the turn.

use super::turn::key_of;
use mobkit_domain::id::{MessageId, TurnId};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A message that joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Joined {
    /// The message.
    pub(super) message: MessageId,
    /// What the model is told.
    pub(super) content: String,
}

struct Entry {
    joined: Joined,
    /// Whether this process has given it to the runtime.
    is_given: bool,
    /// Whether it is known what became of it.
    is_settled: bool,
}

/// The messages that join one turn.
pub(super) struct Joining {
    turn: TurnId,
    /// `None`: the turn takes no more.
    entries: Mutex<Option<Vec<Entry>>>,
    news: Notify,
}

impl Joining {
    /// Nobody has joined this turn yet.
    pub(super) fn new(turn: TurnId) -> Self {
        Self {
            turn,
            entries: Mutex::new(Some(Vec::new())),
            news: Notify::new(),
        }
    }

    fn entries(&self) -> MutexGuard<'_, Option<Vec<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which turn.
    pub(super) fn turn(&self) -> TurnId {
        self.turn
    }

    /// Lets a message join. From then on it is the turn's; `false`: the turn is over.
    pub(super) fn add(&self, joined: Joined) -> bool {
        let mut entries = self.entries();
        let Some(entries) = entries.as_mut() else {
            return false;
        };
        let is_known = entries
            .iter()
            .any(|entry| entry.joined.message == joined.message);
        if !is_known {
            entries.push(Entry {
                joined,
                is_given: false,
                is_settled: false,
            });
            self.news.notify_one();
        }
        true
    }

    /// Returns when there may be something to give.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    /// The messages that were not given to the runtime yet; now they are.
    pub(super) fn give(&self) -> Vec<Joined> {
        let mut entries = self.entries();
        let entries = entries.iter_mut().flatten();
        let fresh = entries.filter(|entry| !entry.is_given && !entry.is_settled);
        let given = fresh.map(|entry| {
            entry.is_given = true;
            entry.joined.clone()
        });
        given.collect()
    }

    /// The first message of which nobody knows yet what became of it.
    pub(super) fn next(&self) -> Option<Joined> {
        let entries = self.entries();
        let mut open = entries.iter().flatten().filter(|entry| !entry.is_settled);
        open.next().map(|entry| entry.joined.clone())
    }

    /// It is known what became of a message.
    pub(super) fn settle(&self, message: MessageId) {
        let mut entries = self.entries();
        let mut entries = entries.iter_mut().flatten();
        if let Some(entry) = entries.find(|entry| entry.joined.message == message) {
            entry.is_settled = true;
        }
    }

    /// Takes no more messages from now on, unless there is one of which nobody knows what became
    /// of it.
    pub(super) fn close(&self) -> bool {
        let mut entries = self.entries();
        let is_open = entries.iter().flatten().any(|entry| !entry.is_settled);
        if !is_open {
            *entries = None;
        }
        !is_open
    }

    /// Under which key a message is given to the runtime: the same after every restart.
    pub(super) fn key(&self, message: MessageId) -> String {
        key_of(self.turn, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(message: u64) -> Joined {
        Joined {
            message: MessageId(message),
            content: format!("words of {message}"),
        }
    }

    #[test]
    fn a_message_is_given_once_and_settled_once() {
        let joining = Joining::new(TurnId(4));
        assert!(joining.add(joined(7)));
        assert!(joining.add(joined(9)));
        assert!(joining.add(joined(7)), "it is known already");
        assert_eq!(joining.give(), [joined(7), joined(9)]);
        assert_eq!(joining.give(), []);
        assert_eq!(joining.next(), Some(joined(7)));
        joining.settle(MessageId(7));
        assert_eq!(joining.next(), Some(joined(9)));
    }

    #[test]
    fn a_turn_that_is_over_takes_no_message() {
        let joining = Joining::new(TurnId(4));
        joining.add(joined(7));
        assert!(!joining.close(), "one is open");
        joining.settle(MessageId(7));
        assert!(joining.close());
        assert!(!joining.add(joined(9)));
        assert_eq!(joining.next(), None);
        assert_eq!(joining.give(), []);
    }
}
