//! Requests that wait for their answers.

use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// How many requests that nobody waits for any longer are remembered: their answers are no mistake.
const CANCELLED_MAX: usize = 256;

/// What came of a request.
pub(super) type Answer = Result<Value, String>;

#[derive(Default)]
struct Requests {
    open: BTreeMap<String, oneshot::Sender<Answer>>,
    cancelled: VecDeque<String>,
}

/// The requests of one conversation.
#[derive(Default)]
pub(super) struct Waiting(Mutex<Requests>);

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request is made; `None`: one of this id is open already.
    pub(super) fn open(&self, id: &str) -> Option<oneshot::Receiver<Answer>> {
        let mut requests = self.lock();
        if requests.open.contains_key(id) {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        requests.open.insert(id.to_owned(), sender);
        Some(receiver)
    }

    /// Nobody waits for it any longer; `false`: it was answered before.
    pub(super) fn cancel(&self, id: &str) -> bool {
        let mut requests = self.lock();
        let was_open = requests.open.remove(id).is_some();
        if was_open {
            if requests.cancelled.len() == CANCELLED_MAX {
                requests.cancelled.pop_front();
            }
            requests.cancelled.push_back(id.to_owned());
        }
        was_open
    }

    /// An answer came; `false`: to nothing that was ever asked, or twice.
    pub(super) fn answer(&self, id: &str, answer: Answer) -> bool {
        let mut requests = self.lock();
        if let Some(sender) = requests.open.remove(id) {
            // Whoever gave up in this instant needs no answer.
            let _ = sender.send(answer);
            return true;
        }
        let cancelled = requests.cancelled.iter().position(|of| of == id);
        cancelled.is_some_and(|at| requests.cancelled.remove(at).is_some())
    }

    /// Whether somebody waits for it, or did until now.
    pub(super) fn knows(&self, id: &str) -> bool {
        let requests = self.lock();
        requests.open.contains_key(id) || requests.cancelled.iter().any(|of| of == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_reaches_who_asked_and_is_known_once() {
        let waiting = Waiting::default();
        let mut asked = waiting.open("a").expect("free");
        assert!(waiting.open("a").is_none());
        assert!(waiting.knows("a") && !waiting.knows("b"));
        assert!(waiting.answer("a", Ok(Value::Null)));
        assert_eq!(asked.try_recv(), Ok(Ok(Value::Null)));
        assert!(!waiting.answer("a", Ok(Value::Null)));
        assert!(!waiting.cancel("a"));
    }

    #[test]
    fn a_late_answer_to_a_cancelled_request_is_no_mistake() {
        let waiting = Waiting::default();
        let _asked = waiting.open("a").expect("free");
        assert!(waiting.cancel("a") && waiting.knows("a"));
        assert!(waiting.answer("a", Ok(Value::Null)));
        assert!(!waiting.answer("a", Ok(Value::Null)));
    }
}
