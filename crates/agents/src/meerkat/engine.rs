//! The engine itself: what the seam asks of it, handed on to whoever does it.

use super::counterpart::{Counterpart, Current};
use super::definition::{self, Wanted};
use super::frames::RequestError;
use super::joining::{Joined, Joining};
use super::launch::Launcher;
use super::members;
use super::supervision::{Attach, Down, Live, Supervision};
use super::turn;
use crate::external::{
    EngineError, MemberStart, Offers, SteerInput, TurnEngine, TurnInput, TurnPort,
};
use crate::model::heard;
use async_trait::async_trait;
use mobkit_domain::id::MemberId;
use mobkit_domain::model::Usage;
use mobkit_engine::Engine;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// The Meerkat runtime as an engine of turns.
pub struct Meerkat {
    runtime: Arc<Runtime>,
}

impl Meerkat {
    /// An engine whose process `launcher` starts, with private folders below `state_dir`. Nothing
    /// is started before a member needs it.
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
    seats: Mutex<BTreeMap<MemberId, Seat>>,
}

/// What is kept of a member.
#[derive(Default)]
struct Seat {
    /// The one place at which a turn of it runs.
    place: Arc<tokio::sync::Mutex<()>>,
    /// What it is to be there.
    wanted: Option<Wanted>,
    /// The number of the last that stands for it there; 0: nobody has looked.
    number: u32,
    /// The tokens of its session after its last run; `None`: nobody knows.
    total: Option<Usage>,
    /// The messages that join the turn that runs.
    joining: Option<Arc<Joining>>,
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

    fn seats(&self) -> MutexGuard<'_, BTreeMap<MemberId, Seat>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place of a member, once whatever ran for it is over.
    pub(super) async fn seat(&self, member: &MemberId) -> OwnedMutexGuard<()> {
        let place = Arc::clone(&self.seats().entry(member.clone()).or_default().place);
        place.lock_owned().await
    }

    /// What a member is to be there, if it was started.
    pub(super) fn wanted(&self, member: &MemberId) -> Option<Wanted> {
        self.seats().get(member)?.wanted.clone()
    }

    /// A member was started as this, and this one stands for it there.
    pub(super) fn set_wanted(&self, member: &MemberId, wanted: Wanted, number: u32) {
        let mut seats = self.seats();
        let seat = seats.entry(member.clone()).or_default();
        seat.wanted = Some(wanted);
        seat.number = number;
    }

    /// The number of the last that stands for a member there, from 1.
    pub(super) fn number(&self, member: &MemberId) -> u32 {
        let number = self.seats().get(member).map(|seat| seat.number);
        number.unwrap_or_default().max(1)
    }

    /// The name of the last that stands for a member there.
    pub(super) fn name(&self, member: &MemberId) -> String {
        definition::name(&definition::identity(member), self.number(member))
    }

    /// The tokens of a member's session after its last run; `None`: nobody knows.
    pub(super) fn total(&self, member: &MemberId) -> Option<Usage> {
        self.seats().get(member)?.total
    }

    /// A run of a member has ended, or its session begins.
    pub(super) fn set_total(&self, member: &MemberId, total: Option<Usage>) {
        self.seats().entry(member.clone()).or_default().total = total;
    }

    /// A turn of a member runs: from now on messages can join it.
    pub(super) fn set_joining(&self, member: &MemberId, joining: &Arc<Joining>) {
        self.seats().entry(member.clone()).or_default().joining = Some(Arc::clone(joining));
    }

    fn joining(&self, member: &MemberId) -> Option<Arc<Joining>> {
        self.seats().get(member)?.joining.clone()
    }

    fn leave(&self, member: &MemberId) {
        self.seats().remove(member);
    }
}

#[async_trait]
impl TurnEngine for Meerkat {
    fn name(&self) -> &'static str {
        "meerkat"
    }

    fn offers(&self) -> Offers {
        Offers {
            steer: true,
            usage: true,
            deltas: true,
        }
    }

    async fn start_member(&self, start: MemberStart, mob: &Engine) -> Result<(), EngineError> {
        self.runtime.mob.get_or_init(|| mob.clone());
        loop {
            match members::start(&self.runtime, start.clone(), mob).await {
                // The next process is asked, unless there is none: then that is said otherwise.
                Err(EngineError::Lost(reason)) => {
                    tracing::debug!(member = %start.member, "its start is made again: {reason}");
                }
                done => return done,
            }
        }
    }

    async fn run_turn(&self, input: TurnInput, port: TurnPort) -> Result<String, EngineError> {
        turn::run(&self.runtime, input, port).await
    }

    /// The turn gives it to the runtime, now or as soon as a run of it is under way.
    async fn steer(&self, steer: SteerInput) -> Result<(), EngineError> {
        let joining = self.runtime.joining(&steer.member);
        let joining = joining.filter(|joining| joining.turn() == steer.turn);
        let joined = Joined {
            message: steer.message,
            content: heard(&steer.text, &steer.from),
        };
        if joining.is_some_and(|joining| joining.add(joined)) {
            return Ok(());
        }
        let reason = format!("{} does not run any longer", steer.turn);
        Err(EngineError::Failed(reason))
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
