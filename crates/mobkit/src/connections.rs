//! The loop that serves connections, with the limits that keep strangers from holding it up.

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use mobkit_engine::{OnError, OnStop, TaskKind, Tasks};
use mobkit_gateway::ConnectionHold;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tower::Service;

/// How many connections are open at once; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 4_096;
/// How long a client may take to send the head of a request, also the next one of a connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How many bytes the head of a request may have.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How long open connections may take to end once all streams were closed.
const PATIENCE: Duration = Duration::from_secs(2);
/// The pause after a connection could not be accepted, e.g. for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const CONNECTION: TaskKind = TaskKind {
    name: "connection",
    on_stop: OnStop::Finish,
    on_error: OnError::Report,
};

/// Serves until `closing`; then lets open requests end, for a while, and drops what is left.
pub(crate) async fn serve(listener: TcpListener, router: Router, closing: &CancellationToken) {
    let connections = Tasks::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            biased;
            () = closing.cancelled() => break,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((stream, remote)) => {
                let (router, closing) = (router.clone(), closing.clone());
                connections.spawn(CONNECTION, async move {
                    connection(stream, remote, router, closing).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    connections.stop(PATIENCE).await;
}

async fn connection(
    stream: TcpStream,
    remote: SocketAddr,
    router: Router,
    closing: CancellationToken,
) {
    // An event must not wait for the next one to fill a packet.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps small packets back");
    }
    // Nothing is ever sent: it is closed once nobody holds the connection any longer.
    let (hold, mut all_gone) = mpsc::channel(1);
    let hold = ConnectionHold(hold);
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(remote));
        request.extensions_mut().insert(hold.clone());
        router.clone().call(request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let ended = {
        tokio::pin!(serving);
        tokio::select! {
            ended = serving.as_mut() => ended,
            () = closing.cancelled() => {
                serving.as_mut().graceful_shutdown();
                serving.await
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %remote, "a connection ended early");
    }
    // A WebSocket lives on after that.
    let _ = all_gone.recv().await;
}
