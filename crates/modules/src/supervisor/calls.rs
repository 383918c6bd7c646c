//! The calls that a module works on.

use mobkit_domain::id::{CallId, TurnId};
use mobkit_domain::time::Time;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

use crate::rate::Rate;

/// Words on how far a call is that are shown a second over time, and at once.
const PROGRESS_PER_SECOND: u64 = 10;
const PROGRESS_BURST: u64 = 20;

/// What is heard of a call while it runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Pulse {
    /// Changes whenever it gets on.
    beats: u64,
    /// Questions to a person that wait for an answer.
    questions: u32,
}

impl Pulse {
    /// Whether its time stands still, since a person is asked.
    pub(super) fn waits_for_a_person(self) -> bool {
        self.questions > 0
    }
}

struct Running {
    turn: Option<TurnId>,
    pulse: watch::Sender<Pulse>,
    shown: Rate,
}

/// The calls in flight, by id.
#[derive(Default)]
pub(super) struct CallsInFlight(Mutex<BTreeMap<CallId, Running>>);

/// A call in flight, until it is dropped.
pub(super) struct InFlight {
    calls: Arc<CallsInFlight>,
    call: CallId,
    /// What is heard of it.
    pub(super) pulse: watch::Receiver<Pulse>,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.calls.lock().remove(&self.call);
    }
}

/// A question to a person in the middle of a call, until it is dropped.
pub(super) struct Question {
    calls: Arc<CallsInFlight>,
    call: CallId,
    /// The turn that waits.
    pub(super) turn: TurnId,
}

impl Drop for Question {
    fn drop(&mut self) {
        self.calls.beat(self.call, |pulse| pulse.questions -= 1);
    }
}

impl CallsInFlight {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<CallId, Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call begins.
    pub(super) fn begin(
        self: &Arc<Self>,
        call: CallId,
        turn: Option<TurnId>,
        now: Time,
    ) -> InFlight {
        let (sender, pulse) = watch::channel(Pulse::default());
        let running = Running {
            turn,
            pulse: sender,
            shown: Rate::new(PROGRESS_PER_SECOND, PROGRESS_BURST, now),
        };
        self.lock().insert(call, running);
        InFlight {
            calls: Arc::clone(self),
            call,
            pulse,
        }
    }

    fn beat(&self, call: CallId, change: impl FnOnce(&mut Pulse)) {
        if let Some(running) = self.lock().get(&call) {
            running.pulse.send_modify(|pulse| {
                pulse.beats = pulse.beats.wrapping_add(1);
                change(pulse);
            });
        }
    }

    /// A call gets on. The turn to show it for, unless nobody waits for it or the module says more
    /// than anybody can read.
    pub(super) fn progress(&self, call: CallId, now: Time) -> Option<TurnId> {
        self.beat(call, |_| {});
        let mut calls = self.lock();
        let running = calls.get_mut(&call)?;
        running.turn.filter(|_| running.shown.admits(now))
    }

    /// A call asks a person; `None`: nobody can be asked for it.
    pub(super) fn question(self: &Arc<Self>, call: CallId) -> Option<Question> {
        let turn = self.lock().get(&call)?.turn?;
        self.beat(call, |pulse| pulse.questions += 1);
        Some(Question {
            calls: Arc::clone(self),
            call,
            turn,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: CallId = CallId { reply: 7, index: 1 };

    #[test]
    fn whatever_is_heard_of_a_call_is_a_beat_and_a_question_stops_its_time() {
        let calls = Arc::new(CallsInFlight::default());
        assert_eq!(calls.progress(CALL, Time(0)), None);
        let mut running = calls.begin(CALL, Some(TurnId(3)), Time(0));
        assert_eq!(calls.progress(CALL, Time(0)), Some(TurnId(3)));
        assert!(running.pulse.has_changed().expect("the call runs"));
        assert!(!running.pulse.borrow_and_update().waits_for_a_person());
        let question = calls.question(CALL).expect("it has a turn");
        assert!(running.pulse.borrow_and_update().waits_for_a_person());
        drop(question);
        assert!(!running.pulse.borrow_and_update().waits_for_a_person());
        drop(running);
        assert!(calls.question(CALL).is_none());
    }

    #[test]
    fn a_flood_of_progress_is_heard_and_not_shown() {
        let calls = Arc::new(CallsInFlight::default());
        let mut running = calls.begin(CALL, Some(TurnId(3)), Time(0));
        let shown = (0..1_000).filter(|_| calls.progress(CALL, Time(0)).is_some());
        assert_eq!(shown.count(), 20);
        running.pulse.mark_unchanged();
        assert_eq!(calls.progress(CALL, Time(0)), None);
        assert!(running.pulse.has_changed().expect("the call runs"));
    }

    #[test]
    fn for_a_direct_call_nobody_is_asked() {
        let calls = Arc::new(CallsInFlight::default());
        let _running = calls.begin(CALL, None, Time(0));
        assert!(calls.question(CALL).is_none());
        assert_eq!(calls.progress(CALL, Time(0)), None);
    }
}
