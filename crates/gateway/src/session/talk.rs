//! A session from its beginning to its end.

use super::conversation::Conversation;
use super::host::HostSide;
use super::lines::{LinesIn, LinesOut};
use super::wire::{Incoming, Inlet, Outlet, SessionEnd};
use crate::access::Access;
use crate::gateway::{Caller, Gateway};
use mobkit_domain::principal::Principal;
use mobkit_engine::Engine;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Messages between the session and its writer.
const FRAMES_MAX: usize = 16;
/// How long the other side may leave a message unread.
const READ_PATIENCE: Duration = Duration::from_mins(1);
/// How long the end of a session may take to be told.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
/// After how much silence a session shows that it is there.
const LIFE_EVERY: Duration = Duration::from_secs(15);

/// What a session is to the runtime.
#[derive(Debug)]
pub(crate) enum Tie {
    /// Its end ends nothing else.
    Guest,
    /// The runtime lives as long as it.
    Owner(OwnerSignals),
}

/// What whoever runs the mob for one program is told of it. Each is used once, or dropped.
#[derive(Debug)]
pub struct OwnerSignals {
    /// Used when what a start is made of is known, so that the mob may be brought up; dropped where
    /// that was refused.
    pub begun: Option<oneshot::Sender<()>>,
    /// Used when the program has gone and what it asked by then has begun; dropped when it can't be
    /// reached.
    pub gone: Option<oneshot::Sender<()>>,
}

/// A session before it begins.
pub(crate) struct Session {
    pub gateway: Arc<Gateway>,
    pub caller: Caller,
    pub tie: Tie,
}

/// Talks with whoever runs the process, over lines, until the runtime has stopped or the other side
/// can't be reached. `signals` say when it is time to bring the mob up, and to stop it.
///
/// What it asks while the runtime starts waits for the end of the start, and what it asked before
/// it went has begun by then; answers are written as long as somebody reads.
pub async fn talk_over_lines(
    engine: Engine,
    principal: Principal,
    (reader, writer): (
        impl AsyncRead + Unpin + Send,
        impl AsyncWrite + Unpin + Send,
    ),
    signals: OwnerSignals,
) -> SessionEnd {
    // Nobody comes in here by a token.
    let gateway = Arc::new(Gateway::new(engine, Access::operator_token("")));
    let caller = Caller {
        principal,
        trace: None,
        key: None,
        remote: None,
    };
    let session = Session {
        gateway,
        caller,
        tie: Tie::Owner(signals),
    };
    converse(session, LinesIn::new(reader), LinesOut(writer)).await
}

/// Talks with the other side until one of both ends it.
pub(crate) async fn converse(
    session: Session,
    mut inlet: impl Inlet,
    mut outlet: impl Outlet,
) -> SessionEnd {
    let is_guest = matches!(session.tie, Tie::Guest);
    let engine = session.gateway.engine.clone();
    let (host, orders) = HostSide::new();
    let host_side = (host.clone(), orders);
    let (frames, queue) = mpsc::channel(FRAMES_MAX);
    let end = {
        let writing = write(&mut outlet, queue);
        tokio::pin!(writing);
        tokio::select! {
            biased;
            broken = &mut writing => broken.err().unwrap_or(SessionEnd::Stopped),
            end = Conversation::of(session, frames, host_side).run(&mut inlet) => {
                match writing.await {
                    Ok(()) => end,
                    Err(broken) => broken,
                }
            }
        }
    };
    if !is_guest {
        engine.hosts().set_owner(None);
    }
    host.leave(&engine, &end.to_string()).await;
    // Who does not read is not told either.
    let _ = timeout(CLOSE_PATIENCE, outlet.close(&end)).await;
    if is_guest {
        // What was sent in the meantime must be read, or the end of the connection overtakes the
        // reason for it.
        let rest = async { while !matches!(inlet.next().await, Incoming::Ended) {} };
        let _ = timeout(CLOSE_PATIENCE, rest).await;
    }
    end
}

/// Writes what comes, until nothing can come any longer.
async fn write(
    outlet: &mut impl Outlet,
    mut queue: mpsc::Receiver<String>,
) -> Result<(), SessionEnd> {
    loop {
        let frame = timeout(LIFE_EVERY, queue.recv()).await;
        let writing = async {
            match frame {
                Ok(None) => Ok(false),
                Ok(Some(text)) => outlet.send(text).await.map(|()| true),
                Err(_) => outlet.show_life().await.map(|()| true),
            }
        };
        match timeout(READ_PATIENCE, writing).await {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => return Ok(()),
            Ok(Err(error)) => return Err(SessionEnd::Broken(error.to_string())),
            Err(_) => return Err(SessionEnd::SlowReader),
        }
    }
}
