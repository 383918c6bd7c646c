//! The hold of a turn on its member: as long as something of the turn may run there, no other turn
//! of the member begins.

use super::counterpart::Current;
use super::frames::RequestError;
use super::supervision::Live;
use mobkit_domain::id::{MemberId, TurnId};
use mobkit_engine::{Engine, OnError, OnStop, TaskKind};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;

/// How long a run may take to be over once it was told to stop.
const STOP_PATIENCE: Duration = Duration::from_secs(30);
const ASKED_AGAIN: Duration = Duration::from_millis(50);
const ASKED_AGAIN_MAX: Duration = Duration::from_secs(1);

const STOPPING: TaskKind = TaskKind {
    name: "engine run stop",
    on_stop: OnStop::Abort,
    on_error: OnError::Report,
};

/// What was sent and may run.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) live: Live,
    pub(super) current: Current,
    /// The parameters of the request that sent it. Sent again they tell what became of it.
    pub(super) params: Value,
    /// Its run, once that is known.
    pub(super) run: Option<String>,
}

impl Sent {
    fn has(&self, key: &str) -> bool {
        self.params.get("idempotency_key").and_then(Value::as_str) == Some(key)
    }
}

/// What was sent and is not known to be over, as the turn and its hold share it, in the order of
/// its sending.
#[derive(Clone, Default)]
pub(super) struct Open(Arc<Mutex<Vec<Sent>>>);

impl Open {
    fn lock(&self) -> MutexGuard<'_, Vec<Sent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something is sent under this key, for the first time or again.
    pub(super) fn send(&self, key: &str, sent: Sent) {
        let mut open = self.lock();
        match open.iter_mut().find(|known| known.has(key)) {
            Some(known) => *known = sent,
            None => open.push(sent),
        }
    }

    /// The run of what was sent under this key is known.
    pub(super) fn runs(&self, key: &str, run: &str) {
        if let Some(sent) = self.lock().iter_mut().find(|sent| sent.has(key)) {
            sent.run = Some(run.to_owned());
        }
    }

    /// What was sent under this key is over.
    pub(super) fn over(&self, key: &str) {
        self.lock().retain(|sent| !sent.has(key));
    }
}

/// The hold of a turn on its member.
pub(super) struct Held {
    mob: Engine,
    member: MemberId,
    turn: TurnId,
    seat: Option<OwnedMutexGuard<()>>,
    open: Open,
    gave_up: bool,
}

impl Held {
    pub(super) fn new(
        mob: &Engine,
        (member, turn): (&MemberId, TurnId),
        seat: OwnedMutexGuard<()>,
        open: Open,
    ) -> Self {
        Self {
            mob: mob.clone(),
            member: member.clone(),
            turn,
            seat: Some(seat),
            open,
            gave_up: false,
        }
    }

    /// The turn fails: what runs for it is stopped, although it is still open.
    pub(super) fn give_up(&mut self) {
        self.gave_up = true;
    }
}

impl Drop for Held {
    /// Stops what runs for a turn that has ended. A turn that is still open goes on elsewhere, in
    /// this process or the next, and finds its run there.
    fn drop(&mut self) {
        let mut sent = std::mem::take(&mut *self.open.lock());
        sent.retain(|sent| !sent.live.connection.closed().is_cancelled());
        let is_open = self
            .mob
            .view(|world| world.state.turns.contains_key(&self.turn));
        if (is_open && !self.gave_up) || sent.is_empty() {
            return;
        }
        let member = self.member.clone();
        let place = self.seat.take();
        self.mob.tasks().spawn(STOPPING, async move {
            let stopped = tokio::time::timeout(STOP_PATIENCE, stop_all(&sent)).await;
            match stopped {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%member, "the run was not stopped: {error}"),
                Err(_) => tracing::warn!(%member, "the run does not stop"),
            }
            drop(place);
        });
    }
}

/// Stops all of it, in the order in which it runs.
async fn stop_all(sent: &[Sent]) -> Result<(), RequestError> {
    for sent in sent {
        stop(sent).await?;
    }
    Ok(())
}

/// Stops a run and waits until it is over; one that has not begun is stopped as it begins.
async fn stop(sent: &Sent) -> Result<(), RequestError> {
    let connection = &sent.live.connection;
    let mut pause = ASKED_AGAIN;
    let mut told = None;
    let mut run = sent.run.clone();
    loop {
        if run.is_some() && run != told {
            let params = json!({
                "mob_id": sent.current.name,
                "agent_identity": sent.params["agent_identity"],
                "run_id": run,
                "reason": "the turn was cancelled",
            });
            connection.request("mob/stop_member_run", params).await?;
            told.clone_from(&run);
        }
        let receipt = connection
            .request("mob/member_send", sent.params.clone())
            .await?;
        match super::receipt::read(&receipt) {
            super::receipt::Receipt::Admitted { session, input } => {
                let params = super::receipt::status(&session, &input);
                let status = connection.request("session/input_status", params).await?;
                let status = super::receipt::Status::of(&status);
                if status.ended.is_some() {
                    return Ok(());
                }
                run = status.run.or(run);
            }
            super::receipt::Receipt::Pending => {}
            super::receipt::Receipt::Stranded | super::receipt::Receipt::Refused(_) => {
                return Ok(());
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(ASKED_AGAIN_MAX);
    }
}
