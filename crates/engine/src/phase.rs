//! Where the runtime is in its life, for everybody who has to know.

use mobkit_domain::lifecycle::{Admission, LifecycleEvent, Phase, Verb, admit, advance};
use mobkit_domain::refusal::Refusal;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// The phase of a runtime, and who waits for it to change.
#[derive(Debug)]
pub struct PhaseWatch {
    phase: watch::Sender<Phase>,
    recovered: AtomicBool,
    has_run: AtomicBool,
}

impl Default for PhaseWatch {
    fn default() -> Self {
        Self {
            phase: watch::Sender::new(Phase::Starting),
            recovered: AtomicBool::new(false),
            has_run: AtomicBool::new(false),
        }
    }
}

impl PhaseWatch {
    /// The phase of now.
    pub fn now(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Lets somebody wait for changes.
    pub fn subscribe(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// The journal has been read; reads are served from here on.
    pub(crate) fn recovered(&self) {
        self.recovered.store(true, Ordering::Release);
    }

    /// Whether it ever ran: work of the mob has begun only then.
    pub(crate) fn has_run(&self) -> bool {
        self.has_run.load(Ordering::Acquire)
    }

    /// What becomes of a verb.
    pub fn admit(&self, verb: Verb) -> Admission {
        admit(self.now(), self.recovered.load(Ordering::Acquire), verb)
    }

    /// Lets a verb pass, or says why not.
    pub fn check(&self, verb: Verb) -> Result<(), Refusal> {
        match self.admit(verb) {
            Admission::Refused(refusal) => Err(refusal),
            _ => Ok(()),
        }
    }

    /// Goes on in life; an impossible step changes nothing and returns `false`.
    pub(crate) fn on(&self, event: LifecycleEvent) -> bool {
        self.phase
            .send_if_modified(|phase| match advance(*phase, event) {
                Ok(next) if next != *phase => {
                    *phase = next;
                    if next == Phase::Running {
                        self.has_run.store(true, Ordering::Release);
                    }
                    true
                }
                _ => false,
            })
    }
}
