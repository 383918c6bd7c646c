//! Messages as lines on the pipes of a child process.
//!
//! rmcp has a transport for pipes as well. It drops a line that is too long and goes on, as it does
//! with everything that is no message, so that a call would wait for an answer that is lost
//! already; it sends from tasks that may overtake each other; and it can't be closed while a child
//! doesn't read. So it is done here, behind the same seam.

use super::link::Link;
use super::reader::Reader;
use crate::client::Limits;
use mobkit_engine::{OnError, OnStop, TaskKind, Tasks};
use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Most messages that wait for the child to read them.
const UNREAD_LEN_MAX: usize = 256;
/// Most messages of the child that wait; it writes no more until they were heard.
const UNHEARD_LEN_MAX: usize = 64;

const READER: TaskKind = TaskKind {
    name: "module output",
    on_stop: OnStop::Abort,
    on_error: OnError::Report,
};
const WRITER: TaskKind = TaskKind {
    name: "module input",
    on_stop: OnStop::Finish,
    on_error: OnError::Report,
};

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    /// It can't be written as JSON.
    #[error("the message can't be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Too many wait already; this one was not sent.
    #[error("the module does not read its input")]
    Unread,
    /// Writing failed; a part of the message may have gone out.
    #[error("the input of the module can't be written: {0}")]
    Io(#[from] std::io::Error),
    /// The conversation is over.
    #[error("the input of the module is closed")]
    Closed,
}

struct Outgoing {
    line: Vec<u8>,
    written: oneshot::Sender<Result<(), LineError>>,
}

/// The two pipes. Dropping it, or closing it, closes the child's input; its output is read to the
/// end all the same, since a child that can't say its last words may take that for a failure.
pub(super) struct Lines {
    incoming: mpsc::Receiver<ServerJsonRpcMessage>,
    outgoing: Option<mpsc::Sender<Outgoing>>,
    stop: DropGuard,
}

impl Lines {
    /// Takes the pipes: what the child reads, what it writes.
    pub(super) fn new(
        stdin: impl AsyncWrite + Send + Unpin + 'static,
        stdout: impl AsyncRead + Send + Unpin + 'static,
        link: Arc<Link>,
        limits: Limits,
        tasks: &Tasks,
    ) -> Self {
        let (pass, incoming) = mpsc::channel(UNHEARD_LEN_MAX);
        let reader = Reader::new(link, limits, pass);
        tasks.spawn(READER, reader.run(stdout));
        let (outgoing, queue) = mpsc::channel(UNREAD_LEN_MAX);
        let stop = CancellationToken::new();
        tasks.spawn(WRITER, write_all(stdin, queue, stop.clone()));
        Self {
            incoming,
            outgoing: Some(outgoing),
            stop: stop.drop_guard(),
        }
    }

    fn queue(
        &self,
        message: &ClientJsonRpcMessage,
    ) -> Result<oneshot::Receiver<Result<(), LineError>>, LineError> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        let (written, sent) = oneshot::channel();
        let outgoing = self.outgoing.as_ref().ok_or(LineError::Closed)?;
        match outgoing.try_send(Outgoing { line, written }) {
            Ok(()) => Ok(sent),
            Err(mpsc::error::TrySendError::Full(_)) => Err(LineError::Unread),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(LineError::Closed),
        }
    }
}

impl Transport<RoleClient> for Lines {
    type Error = LineError;

    fn send(
        &mut self,
        message: ClientJsonRpcMessage,
    ) -> impl Future<Output = Result<(), LineError>> + Send + 'static {
        // Queued here and not in the future: messages go out in the order of these calls.
        let queued = self.queue(&message);
        async move { queued?.await.unwrap_or(Err(LineError::Closed)) }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        self.incoming.recv().await
    }

    async fn close(&mut self) -> Result<(), LineError> {
        self.outgoing = None;
        let stop = std::mem::replace(&mut self.stop, CancellationToken::new().drop_guard());
        drop(stop);
        Ok(())
    }
}

/// Writes what is queued until nobody queues any more, or `stop` fires. It owns the pipe.
async fn write_all(
    mut stdin: impl AsyncWrite + Unpin,
    mut queue: mpsc::Receiver<Outgoing>,
    stop: CancellationToken,
) {
    let stop = stop.cancelled();
    tokio::pin!(stop);
    loop {
        let next = tokio::select! {
            biased;
            () = &mut stop => return,
            next = queue.recv() => next,
        };
        let Some(Outgoing { line, written }) = next else {
            return;
        };
        let writing = async {
            stdin.write_all(&line).await?;
            stdin.flush().await
        };
        // A child that doesn't read its input is left in the middle of a line.
        let result = tokio::select! {
            biased;
            () = &mut stop => return,
            result = writing => result,
        };
        let failed = result.is_err();
        // Nobody waits for the end of a cancelled request's message.
        let _ = written.send(result.map_err(LineError::from));
        if failed {
            return;
        }
    }
}
