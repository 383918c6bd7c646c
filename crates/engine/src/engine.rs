//! The handle through which everybody speaks to a mob.

use crate::clock::Clock;
use crate::delta::{DELTAS_MAX, Delta};
use crate::dispatch::{Dispatch, Runner};
use crate::hooks::{DefinitionSource, Hooks};
use crate::outcome::{CallOutcome, Outcome, Outcomes, of_call, of_message};
use crate::phase::PhaseWatch;
use crate::recover::SnapshotMark;
use crate::shutdown::Shutdown;
use crate::tail::Tail;
use crate::tally::{Counts, Tally};
use crate::tasks::Tasks;
use crate::writer::Request;
use mobkit_domain::command::{Answer, Command, Submission};
use mobkit_domain::definition::Definition;
use mobkit_domain::id::{CallId, MessageId, MobId, Seq};
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::row::{MessageState, Row, Table};
use mobkit_domain::time::Time;
use mobkit_domain::tool::Toolbox;
use mobkit_domain::world::World;
use mobkit_store::{Store, StoreError};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// How many commands may wait for the writer; further callers wait for room.
pub const SUBMISSIONS_MAX: usize = 8_192;

/// What an engine is made of.
pub struct EngineConfig {
    /// Where the mob is kept.
    pub store: Arc<dyn Store>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The definition to start with.
    pub definition: Arc<Definition>,
    /// Where a changed definition is read from.
    pub source: Option<Arc<dyn DefinitionSource>>,
    /// Tools of the host.
    pub toolbox: Arc<Toolbox>,
    /// Who runs effects.
    pub runner: Arc<dyn Runner>,
    /// Hooks of the host.
    pub hooks: Hooks,
    /// Version of mobkit, for the journal.
    pub version: String,
    /// Whether every model is replaced by rehearsal.
    pub rehearsal: bool,
    /// How long running turns may take to end at a shutdown, in milliseconds.
    pub drain_timeout_ms: u64,
    /// Whether the start may retire more than half of the members.
    pub force_first: bool,
}

/// What all clones of the handle share.
pub(crate) struct Shared {
    pub(crate) mob: MobId,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) source: Option<Arc<dyn DefinitionSource>>,
    pub(crate) runner: Arc<dyn Runner>,
    pub(crate) hooks: Hooks,
    pub(crate) version: String,
    pub(crate) rehearsal: bool,
    pub(crate) drain_timeout_ms: u64,
    pub(crate) force_first: bool,
    pub(crate) started: Time,
    pub(crate) epoch: AtomicU64,
    pub(crate) view: RwLock<World>,
    pub(crate) tail: Tail,
    pub(crate) phase: PhaseWatch,
    pub(crate) outcomes: Outcomes,
    pub(crate) deltas: broadcast::Sender<Delta>,
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) tasks: Tasks,
    pub(crate) dispatch: Dispatch,
    pub(crate) snapshots: SnapshotMark,
    pub(crate) tally: Tally,
    pub(crate) reconcile: tokio::sync::Mutex<()>,
    pub(crate) shutdown: Shutdown,
    /// Fires when a start is to be given up.
    pub(crate) start_cancelled: CancellationToken,
    /// Fires when streams are to end.
    pub(crate) closing: CancellationToken,
}

/// A running mob. Clones share it.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
}

impl Engine {
    pub(crate) fn assemble(
        config: EngineConfig,
        world: World,
        requests: mpsc::Sender<Request>,
    ) -> Self {
        let started = config.clock.now();
        let shared = Shared {
            mob: world.state.mob.clone(),
            store: config.store,
            clock: config.clock,
            source: config.source,
            runner: config.runner,
            hooks: config.hooks,
            version: config.version,
            rehearsal: config.rehearsal,
            drain_timeout_ms: config.drain_timeout_ms,
            force_first: config.force_first,
            started,
            epoch: AtomicU64::new(0),
            tail: Tail::new(world.state.head),
            view: RwLock::new(world),
            phase: PhaseWatch::default(),
            outcomes: Outcomes::default(),
            deltas: broadcast::Sender::new(DELTAS_MAX),
            requests,
            tasks: Tasks::new(),
            dispatch: Dispatch::default(),
            snapshots: SnapshotMark::default(),
            tally: Tally::default(),
            reconcile: tokio::sync::Mutex::new(()),
            shutdown: Shutdown::default(),
            start_cancelled: CancellationToken::new(),
            closing: CancellationToken::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Whose engine.
    pub fn mob(&self) -> &MobId {
        &self.shared.mob
    }

    /// Version of mobkit.
    pub fn version(&self) -> &str {
        &self.shared.version
    }

    /// Whether every model is replaced by rehearsal.
    pub fn is_rehearsal(&self) -> bool {
        self.shared.rehearsal
    }

    /// The epoch that this process holds.
    pub fn epoch(&self) -> u64 {
        self.shared.epoch.load(Ordering::Acquire)
    }

    /// Where the mob is kept.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.shared.store
    }

    /// Where the runtime is in its life.
    pub fn phase(&self) -> &PhaseWatch {
        &self.shared.phase
    }

    /// The owner of the tasks of this mob; whoever needs one asks here.
    pub fn tasks(&self) -> &Tasks {
        &self.shared.tasks
    }

    /// The time of day.
    pub fn now(&self) -> Time {
        self.shared.clock.now()
    }

    /// How long the process has had the mob, in milliseconds.
    pub fn uptime_ms(&self) -> u64 {
        self.now().since_ms(self.shared.started)
    }

    /// What was counted since this process has had the mob.
    pub fn counts(&self) -> Counts {
        self.shared.tally.counts()
    }

    /// Readers of events that are open.
    pub fn readers(&self) -> u64 {
        self.shared.tally.readers()
    }

    /// Position of the last durable event.
    pub fn head(&self) -> Seq {
        self.shared.tail.head()
    }

    pub(crate) fn tail(&self) -> &Tail {
        &self.shared.tail
    }

    /// Fires when streams are to end.
    pub fn closing(&self) -> &CancellationToken {
        &self.shared.closing
    }

    /// Looks at the state of the last durable event. The look must be short: it holds a lock.
    pub fn view<R>(&self, look: impl FnOnce(&World) -> R) -> R {
        look(
            &self
                .shared
                .view
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Has a command decided; returns once what it led to is durable.
    ///
    /// Dropping the future does not take the command back.
    pub async fn submit(&self, submission: Submission) -> Result<Answer, Refusal> {
        self.request(submission, false, None).await
    }

    /// Has a command of the runtime itself decided; allowed while it starts.
    pub async fn submit_internal(&self, command: Command) -> Result<Answer, Refusal> {
        self.request(Submission::internal(command), true, None)
            .await
    }

    pub(crate) async fn request(
        &self,
        submission: Submission,
        internal: bool,
        definition: Option<Arc<Definition>>,
    ) -> Result<Answer, Refusal> {
        let (reply, answer) = oneshot::channel();
        let request = Request {
            submission,
            internal,
            definition,
            reply,
        };
        if self.shared.requests.send(request).await.is_err() {
            return Err(writer_gone());
        }
        answer.await.unwrap_or_else(|_| Err(writer_gone()))
    }

    /// Listens to the lossy lane from here on.
    pub fn deltas(&self) -> broadcast::Receiver<Delta> {
        self.shared.deltas.subscribe()
    }

    /// Waits for the end of the turn that takes `message`, or of the message itself. The turn goes
    /// on if the caller stops waiting.
    pub async fn outcome(&self, message: MessageId) -> Result<Outcome, Refusal> {
        let waiter = of_message(self, message);
        // Registered first, looked up second: an end in between is seen by one of the two.
        if let Some(outcome) = self.recorded_outcome(message).await? {
            return Ok(outcome);
        }
        let closing = self.closing().clone();
        tokio::select! {
            biased;
            outcome = waiter.ended() => outcome.ok_or_else(writer_gone),
            () = closing.cancelled() => {
                Err(Refusal::new(
                    RefusalKind::Unavailable,
                    "runtime.stopping",
                    format!("the runtime stopped before {message} was answered"),
                )
                .hint("the message is kept; ask again after the next start"))
            }
        }
    }

    async fn recorded_outcome(&self, message: MessageId) -> Result<Option<Outcome>, Refusal> {
        let store = self.store();
        let row = store
            .row(self.mob(), Table::Message, message.0)
            .await
            .map_err(|e| store_refusal(&e))?;
        let Some(Row::Message(row)) = row else {
            return Err(Refusal::new(
                RefusalKind::Missing,
                "message.not_found",
                format!("there is no message {message}"),
            ));
        };
        match (row.state, row.turn) {
            (MessageState::Cancelled | MessageState::Expired, _) => {
                Ok(Some(Outcome::Dropped { seq: message.0 }))
            }
            (MessageState::Delivered, Some(turn)) => {
                let row = store.row(self.mob(), Table::Turn, turn.0).await;
                Ok(match row.map_err(|e| store_refusal(&e))? {
                    Some(Row::Turn(row)) if row.status.is_ended() => {
                        Some(Outcome::Turn { turn, seq: row.seq })
                    }
                    _ => None,
                })
            }
            _ => Ok(None),
        }
    }

    /// The end of a tool call, in this process. Whoever calls is registered at once, so a look into
    /// the journal afterwards misses nothing; [`end_of_call`](crate::end_of_call) says what an
    /// event means for it.
    pub fn call_outcome(
        &self,
        call: CallId,
    ) -> impl Future<Output = CallOutcome> + Send + 'static + use<> {
        let waiter = of_call(self, call);
        async move {
            waiter
                .ended()
                .await
                .unwrap_or_else(|| Err("the runtime stopped".to_owned()))
        }
    }
}

/// The refusal for a writer that has ended.
pub(crate) fn writer_gone() -> Refusal {
    Refusal::new(
        RefusalKind::Unavailable,
        "runtime.not_running",
        "the runtime has stopped and takes nothing any longer",
    )
    .hint("start it again with `mobkit up`")
}

/// How a failure of the store looks to a caller.
pub(crate) fn store_refusal(error: &StoreError) -> Refusal {
    Refusal::new(RefusalKind::Internal, "store.failed", error.to_string())
        .hint("make sure that the disk has room and the state directory can be written")
        .hint("`mobkit check` and the log of the process say more about the state directory")
}
