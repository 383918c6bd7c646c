//! `GET /rpc/ws`: JSON-RPC in both directions, over a WebSocket (RFC 6455).

use crate::access::SUBPROTOCOL;
use crate::gateway::{Caller, Gateway};
use crate::problem::response;
use crate::session::{
    Incoming, Inlet, MESSAGE_BYTES_MAX, Outlet, Session, SessionEnd, Tie, converse,
};
use axum::body::Body;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, State};
use axum::http::Response;
use bytes::Bytes;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_engine::{OnError, OnStop, TaskKind};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Sleep, sleep};

/// From this size on a message ends the connection; a smaller one that is too large is answered.
const FRAME_BYTES_MAX: usize = 4 * MESSAGE_BYTES_MAX;
/// A client that is not heard for so long is gone: it is asked for a sign of life well before.
const SILENCE_MAX: Duration = Duration::from_secs(45);

const SESSION: TaskKind = TaskKind {
    name: "session",
    on_stop: OnStop::Finish,
    on_error: OnError::Report,
};

/// Keeps a connection counted for as long as a WebSocket lives on it: whoever serves connections
/// puts one into the extensions of each request, and sees when all are dropped.
#[derive(Debug, Clone)]
pub struct ConnectionHold(
    /// Never sent on.
    pub mpsc::Sender<()>,
);

/// Begins a session.
pub(super) async fn socket(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Caller>,
    hold: Option<Extension<ConnectionHold>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response<Body> {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return response(&no_upgrade(&rejection)),
    };
    let (upgraded, socket) = oneshot::channel();
    let session = Session {
        gateway: Arc::clone(&gateway),
        caller,
        tie: Tie::Guest,
    };
    gateway.sessions.spawn(SESSION, async move {
        let _hold = hold;
        let Ok(socket) = socket.await else {
            return;
        };
        let (outlet, inlet) = WebSocket::split(socket);
        let end = converse(session, FramesIn::of(inlet), FramesOut(outlet)).await;
        tracing::debug!(%end, "a session ended");
    });
    upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(FRAME_BYTES_MAX)
        .max_frame_size(FRAME_BYTES_MAX)
        .on_upgrade(async move |socket| {
            // Without a receiver the runtime has stopped in between.
            let _ = upgraded.send(socket);
        })
}

fn no_upgrade(rejection: &WebSocketUpgradeRejection) -> Refusal {
    let message = format!("this path takes WebSockets only: {rejection}");
    Refusal::new(RefusalKind::Invalid, "request.no_upgrade", message)
        .hint("connect with a WebSocket client, or post to /rpc")
}

struct FramesIn {
    stream: SplitStream<WebSocket>,
    silence: Pin<Box<Sleep>>,
}

impl FramesIn {
    fn of(stream: SplitStream<WebSocket>) -> Self {
        let silence = Box::pin(sleep(SILENCE_MAX));
        Self { stream, silence }
    }
}

impl Inlet for FramesIn {
    async fn next(&mut self) -> Incoming {
        loop {
            let message = tokio::select! {
                biased;
                message = self.stream.next() => message,
                () = &mut self.silence => None,
            };
            let bytes = match message {
                Some(Ok(Message::Text(text))) => Bytes::from(text),
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => Bytes::new(),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Incoming::Ended,
            };
            self.silence = Box::pin(sleep(SILENCE_MAX));
            match bytes.len() {
                0 => {}
                1..=MESSAGE_BYTES_MAX => return Incoming::Text(bytes),
                _ => return Incoming::TooLarge,
            }
        }
    }
}

struct FramesOut(SplitSink<WebSocket, Message>);

impl Outlet for FramesOut {
    async fn send(&mut self, text: String) -> io::Result<()> {
        let sent = self.0.send(Message::Text(text.into())).await;
        sent.map_err(io::Error::other)
    }

    async fn show_life(&mut self) -> io::Result<()> {
        let sent = self.0.send(Message::Ping(Bytes::new())).await;
        sent.map_err(io::Error::other)
    }

    async fn close(&mut self, end: &SessionEnd) {
        // RFC 6455, section 7.4.1: normal, going away, policy.
        let code = match end {
            SessionEnd::ClientGone => 1000,
            SessionEnd::Stopped | SessionEnd::Broken(_) => 1001,
            SessionEnd::SlowReader => 1008,
        };
        let reason = end.to_string().into();
        let frame = Message::Close(Some(CloseFrame { code, reason }));
        // Who has gone can't be told.
        let _ = self.0.send(frame).await;
    }
}
