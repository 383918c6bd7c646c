//! Keeping a conversation that has begun.

use super::conversation::{Conversation, StopOnDrop};
use super::excerpt::excerpt;
use super::failure::Failures;
use super::handler::Handler;
use super::link::Link;
use super::listen;
use crate::client::{ClientError, Limits};
use mobkit_engine::{OnError, OnStop, TaskKind, Tasks};
use rmcp::RoleClient;
use rmcp::service::{ClientCacheConfig, RunningService};
use std::sync::Arc;
use tokio_util::sync::{CancellationToken, DropGuard};

const KEEPER: TaskKind = TaskKind {
    name: "module conversation",
    on_stop: OnStop::Finish,
    on_error: OnError::Report,
};
const LISTENER: TaskKind = TaskKind {
    name: "module tool changes",
    on_stop: OnStop::Abort,
    on_error: OnError::Report,
};

/// What a conversation needs besides its two ends.
pub(super) struct Keeper<'t> {
    pub(super) limits: Limits,
    pub(super) failures: Failures,
    pub(super) tasks: &'t Tasks,
    /// What nothing of the conversation outlives, even where it never begins.
    pub(super) end: CancellationToken,
}

impl Keeper<'_> {
    /// Takes over what rmcp began. `stop` ends that.
    pub(super) async fn keep(
        self,
        running: RunningService<RoleClient, Handler>,
        stop: CancellationToken,
    ) -> Conversation {
        let peer = running.peer().clone();
        let link = Arc::clone(&running.service().link);
        // What a cache answers says nothing of the module of now.
        let off = ClientCacheConfig::disabled();
        peer.set_response_cache_config(off).await;
        let gone = CancellationToken::new();
        let ending = Ending {
            link: Arc::clone(&link),
            stop: stop.clone(),
            shutdown: self.tasks.soft().clone(),
            _gone: gone.clone().drop_guard(),
            _end: self.end.clone().drop_guard(),
        };
        self.tasks.spawn(KEEPER, ending.follows(running));
        if listen::is_offered(&peer) {
            let (peer, link) = (peer.clone(), Arc::clone(&link));
            let listening = async move { listen::listen(&peer, &link).await };
            self.tasks.spawn(LISTENER, listening);
        }
        let info = peer.peer_info();
        let version = info.as_ref().map(|info| info.protocol_version.clone());
        let version = version.unwrap_or_default();
        let server = info.as_ref().and_then(|info| info.server_info.as_ref());
        let name = server.map(|server| {
            let name = format!("{} {}", server.name, server.version);
            format!(" ({})", excerpt(&name))
        });
        Conversation {
            protocol: format!("mcp {version}{}", name.unwrap_or_default()),
            stateless: !version.has_initialize(),
            peer,
            link,
            failures: self.failures,
            limits: self.limits,
            stop: StopOnDrop(stop),
            gone,
        }
    }
}

/// How a conversation comes to its end.
struct Ending {
    link: Arc<Link>,
    stop: CancellationToken,
    shutdown: CancellationToken,
    _gone: DropGuard,
    _end: DropGuard,
}

impl Ending {
    /// Waits until what rmcp runs has ended, and brings that about where it is wanted.
    async fn follows(self, running: RunningService<RoleClient, Handler>) {
        let waiting = running.waiting();
        tokio::pin!(waiting);
        tokio::select! {
            _ = &mut waiting => {
                self.link.end(ClientError::Closed);
                return;
            }
            () = self.stop.cancelled() => {}
            () = self.shutdown.cancelled() => {}
        }
        // Questions that wait for a person are let go by this, so rmcp need not wait for them.
        self.link.end(ClientError::Closed);
        self.stop.cancel();
        // Bounded: rmcp gives a remote server some seconds to hear that its session has ended.
        let _ = waiting.await;
    }
}
