//! A running mob.

use crate::connections;
use axum::Router;
use mobkit_domain::definition::Schedule;
use mobkit_domain::event::EventFilter;
use mobkit_domain::id::Seq;
use mobkit_domain::lifecycle::Phase;
use mobkit_domain::plan::{ApplyReport, EdgeReport};
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::time::Time;
use mobkit_engine::{
    ApplyOptions, CursorError, Engine, EventReader, RediscoverMode, ScheduleDispatchReport,
    ShutdownReport, StartError,
};
use mobkit_gateway::{Access, OwnerSignals, SessionEnd};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// Why serving failed, if it did.
    pub serve: Option<String>,
    /// The shutdown.
    pub shutdown: ShutdownReport,
}

/// A mob. Clones share it.
#[derive(Clone)]
pub struct Mob {
    engine: Engine,
}

impl Mob {
    pub(crate) fn new(engine: Engine) -> Self {
        Self { engine }
    }

    /// The engine, for everything that has no method here.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Runs what is due of the host's own schedules at the host's time; see
    /// [`Engine::dispatch_schedule_tick`].
    pub async fn dispatch_schedule_tick(
        &self,
        schedules: Vec<Schedule>,
        tick: Time,
    ) -> Result<ScheduleDispatchReport, Refusal> {
        self.engine.dispatch_schedule_tick(schedules, tick).await
    }

    /// Brings the mob to what is wanted of it, then lets turns begin. A failure undoes everything.
    pub async fn bring_up(&self) -> Result<(), StartError> {
        self.engine.bring_up().await
    }

    /// The HTTP surface, to be mounted in any axum server. It needs no pump: events flow by
    /// themselves, and its streams end when the mob stops.
    pub fn router(&self, access: Access) -> Router {
        mobkit_gateway::router(self.engine.clone(), access)
    }

    /// Serves until an error, or until the mob has stopped.
    pub async fn serve(&self, listener: TcpListener, access: Access) -> std::io::Result<()> {
        let access = access.listening_on(listener.local_addr()?);
        connections::serve(listener, self.router(access), self.engine.closing()).await;
        Ok(())
    }

    /// Talks JSON-RPC in both directions, one message per line, until the mob has stopped or the
    /// other side can't be reached. `signals` say when to bring the mob up, which waits for what
    /// the other side serves of the start, and when to stop it.
    ///
    /// What is asked while the mob starts waits for the end of the start. The other side acts as
    /// `principal`; who may connect to the reader and the writer is for the host to say.
    pub async fn talk(
        &self,
        principal: Principal,
        lines: (
            impl AsyncRead + Unpin + Send,
            impl AsyncWrite + Unpin + Send,
        ),
        signals: OwnerSignals,
    ) -> SessionEnd {
        mobkit_gateway::talk_over_lines(self.engine.clone(), principal, lines, signals).await
    }

    /// Serves until `signal`, or until the mob stops by itself; then shuts down.
    pub async fn run(
        &self,
        listener: TcpListener,
        access: Access,
        signal: impl Future<Output = ()>,
    ) -> RunReport {
        let serving = self.serve(listener, access);
        let stopping = async {
            let mut phase = self.engine.phase().subscribe();
            let ends = |phase: &Phase| !matches!(phase, Phase::Starting | Phase::Running);
            tokio::select! {
                () = signal => {}
                _ = phase.wait_for(ends) => {}
            }
            self.shutdown().await
        };
        tokio::pin!(serving, stopping);
        tokio::select! {
            served = &mut serving => {
                let serve = served.err().map(|error| error.to_string());
                RunReport { serve, shutdown: self.shutdown().await }
            }
            shutdown = &mut stopping => {
                let serve = serving.await.err().map(|error| error.to_string());
                RunReport { serve, shutdown }
            }
        }
    }

    /// Stops the mob. A second call waits and returns the same report.
    pub async fn shutdown(&self) -> ShutdownReport {
        self.engine.shutdown().await
    }

    /// Follows the journal from a cursor.
    pub async fn events(
        &self,
        after: Seq,
        filter: EventFilter,
    ) -> Result<EventReader, CursorError> {
        EventReader::open(&self.engine, after, filter).await
    }

    /// Brings members and edges to what the definition and discovery want.
    pub async fn reconcile(
        &self,
        actor: &Principal,
        options: &ApplyOptions,
    ) -> Result<ApplyReport, Refusal> {
        self.engine.apply(actor, options).await
    }

    /// Brings the edges alone to what is wanted.
    pub async fn reconcile_edges(&self, actor: &Principal) -> Result<EdgeReport, Refusal> {
        self.engine.reconcile_edges(actor).await
    }

    /// Asks discovery again; `None` without a discovery.
    pub async fn rediscover(
        &self,
        actor: &Principal,
        mode: RediscoverMode,
        force: bool,
    ) -> Result<Option<ApplyReport>, Refusal> {
        self.engine.rediscover(actor, mode, force).await
    }
}
