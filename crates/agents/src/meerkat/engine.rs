//! The engine itself: what the seam asks of it, handed on to whoever does it.

use super::counterpart::{Counterpart, Current};
use super::frames::RequestError;
use super::launch::Launcher;
use super::members;
use super::supervision::{Attach, Down, Live, Supervision};
use super::turn;
use crate::external::{EngineError, MemberStart, Offers, TurnEngine, TurnInput, TurnPort};
use async_trait::async_trait;
use mobkit_domain::id::MemberId;
use mobkit_engine::Engine;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// The Meerkat runtime as an engine of turns.
pub struct Meerkat {
    runtime: Arc<Runtime>,
}

impl Meerkat {
    /// An engine whose process `launcher` starts, with private folders below `state_dir`. Nothing is
    /// started before a member needs it.
    pub fn new(launcher: Arc<dyn Launcher>, state_dir: PathBuf) -> Self {
        let counterpart = Arc::new(Counterpart::new(state_dir.clone()));
        let attach = Arc::clone(&counterpart) as Arc<dyn Attach>;
        let runtime = Runtime {
            supervision: Supervision::new(launcher, state_dir, attach),
            counterpart,
            mob: OnceLock::new(),
            present: Mutex::default(),
            seats: Mutex::default(),
        };
        Self {
            runtime: Arc::new(runtime),
        }
    }
}

/// What everything here works with.
pub(super) struct Runtime {
    supervision: Supervision,
    /// Our mob there.
    pub(super) counterpart: Arc<Counterpart>,
    /// Our mob here, once a member was started.
    mob: OnceLock<Engine>,
    /// The last process that was up.
    present: Mutex<Option<Live>>,
    /// The one place of each member at which a turn runs.
    seats: Mutex<BTreeMap<MemberId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Runtime {
    /// The process as it is ready for use; started where it is down.
    pub(super) async fn live(&self, mob: &Engine) -> Result<Live, EngineError> {
        match self.supervision.connection(mob).await {
            Ok(live) => {
                let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
                *present = Some(live.clone());
                Ok(live)
            }
            // Of either the journal has been told already.
            Err(Down::GaveUp(_) | Down::Stopping) => Err(EngineError::Stale),
        }
    }

    /// The process that is up, if one is, and our mob as it has it.
    pub(super) fn present(&self) -> Option<(Live, Current)> {
        let present = self
            .present
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let live = present.filter(|live| !live.connection.closed().is_cancelled())?;
        let current = self.counterpart.of(&live)?;
        Some((live, current))
    }

    /// What it means for a member or a turn that a request has no result.
    pub(super) async fn failed(&self, live: &Live, what: &str, error: RequestError) -> EngineError {
        match error {
            RequestError::Closed(_) => self.lost(live).await,
            RequestError::Refused { .. } => {
                EngineError::Failed(format!("the engine refused {what}: {error}"))
            }
        }
    }

    /// Waits until the end of a process is recorded.
    pub(super) async fn lost(&self, live: &Live) -> EngineError {
        EngineError::Lost(self.supervision.ended(live.start).await)
    }

    /// The place of a member, once whatever ran for it is over.
    pub(super) async fn seat(&self, member: &MemberId) -> OwnedMutexGuard<()> {
        let seat = {
            let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(seats.entry(member.clone()).or_default())
        };
        seat.lock_owned().await
    }

    fn leave(&self, member: &MemberId) {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        seats.remove(member);
    }
}

#[async_trait]
impl TurnEngine for Meerkat {
    fn name(&self) -> &'static str {
        "meerkat"
    }

    fn offers(&self) -> Offers {
        Offers {
            steer: false,
            usage: true,
            deltas: true,
        }
    }

    async fn start_member(&self, start: MemberStart, mob: &Engine) -> Result<(), EngineError> {
        self.runtime.mob.get_or_init(|| mob.clone());
        members::start(&self.runtime, start, mob).await
    }

    async fn run_turn(&self, input: TurnInput, port: TurnPort) -> Result<String, EngineError> {
        turn::run(&self.runtime, input, port).await
    }

    async fn stop_member(&self, member: &MemberId) {
        if let Some(mob) = self.runtime.mob.get() {
            members::stop(&self.runtime, member, mob).await;
        }
        self.runtime.leave(member);
    }

    async fn stop(&self) -> String {
        self.runtime.supervision.stop().await
    }
}
