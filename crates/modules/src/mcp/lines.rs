//! Messages as lines on the pipes of a child process.
//!
//! rmcp has a transport for pipes as well. It drops a line that is too long and goes on, as it does
//! with everything that is no message, so that a call would wait for an answer that is already lost;
//! it sends from tasks that may overtake each other; and it can't be closed while a child doesn't
//! read. So it is done here, behind the same seam.

use super::link::Link;
use crate::client::{ClientError, Limits};
use futures::StreamExt;
use mobkit_engine::{OnError, OnStop, TaskKind, Tasks};
use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, ErrorData, RequestId, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use serde_json::Value;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use tokio_util::codec::{AnyDelimiterCodec, AnyDelimiterCodecError, FramedRead};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How much of a line that is no message is shown, in bytes.
const STRAY_BYTES_MAX: usize = 1_024;
/// Most messages that wait for the child to read them.
const UNREAD_LEN_MAX: usize = 256;

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

/// The two pipes. Dropping it, or closing it, closes the child's input.
pub(super) struct Lines<R> {
    incoming: FramedRead<R, AnyDelimiterCodec>,
    outgoing: Option<mpsc::Sender<Outgoing>>,
    link: Arc<Link>,
    limits: Limits,
    /// Lines that were no message.
    stray: u32,
    stop: DropGuard,
}

impl<R: AsyncRead + Send + Unpin + 'static> Lines<R> {
    /// Takes the pipes: what the child reads, what it writes.
    pub(super) fn new(
        stdin: impl AsyncWrite + Send + Unpin + 'static,
        stdout: R,
        link: Arc<Link>,
        limits: Limits,
        tasks: &Tasks,
    ) -> Self {
        let line_bytes_max = limits.line_bytes_max;
        let codec =
            AnyDelimiterCodec::new_with_max_length(b"\n".to_vec(), Vec::new(), line_bytes_max);
        let (outgoing, queue) = mpsc::channel(UNREAD_LEN_MAX);
        let stop = CancellationToken::new();
        tasks.spawn(WRITER, write_all(stdin, queue, stop.clone()));
        Self {
            incoming: FramedRead::new(stdout, codec),
            outgoing: Some(outgoing),
            link,
            limits,
            stray: 0,
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

    /// Counts a line that is no message, and fails where it is one too many.
    fn stray(&mut self, line: &[u8]) -> Result<(), ClientError> {
        let shown = &line[..line.len().min(STRAY_BYTES_MAX)];
        let shown = String::from_utf8_lossy(shown).into_owned();
        self.link.host.stray(shown);
        self.stray += 1;
        let most = self.limits.unexpected_lines_max;
        if self.stray > most {
            return Err(ClientError::Broken(format!(
                "wrote more than {most} lines that are no part of the protocol"
            )));
        }
        Ok(())
    }
}

impl<R: AsyncRead + Send + Unpin + 'static> Transport<RoleClient> for Lines<R> {
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
        loop {
            let end = match self.incoming.next().await {
                Some(Ok(line)) => match Line::read(&line) {
                    Line::Message(message) => return Some(*message),
                    Line::Nothing => continue,
                    Line::Stray => match self.stray(&line) {
                        Ok(()) => continue,
                        Err(end) => end,
                    },
                },
                Some(Err(AnyDelimiterCodecError::MaxChunkLengthExceeded)) => {
                    let mebibytes = self.limits.line_bytes_max / (1024 * 1024);
                    ClientError::Broken(format!("wrote a line over {mebibytes} MiB"))
                }
                Some(Err(AnyDelimiterCodecError::Io(_))) | None => ClientError::Closed,
            };
            self.link.end(end);
            return None;
        }
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

/// What a line of the output is.
enum Line {
    Message(Box<ServerJsonRpcMessage>),
    /// Nothing that matters here.
    Nothing,
    /// Something else than JSON-RPC.
    Stray,
}

impl Line {
    fn read(line: &[u8]) -> Self {
        let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        let line = line.trim_ascii();
        if line.is_empty() {
            return Self::Nothing;
        }
        match serde_json::from_slice(line) {
            Ok(message) => Self::Message(Box::new(message)),
            Err(_) => Self::misshapen(line),
        }
    }

    /// JSON-RPC of a shape that the protocol doesn't have. An answer still ends its request: whoever
    /// waits for it would wait for ever.
    fn misshapen(line: &[u8]) -> Self {
        let Ok(Value::Object(said)) = serde_json::from_slice(line) else {
            return Self::Stray;
        };
        if said.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Self::Stray;
        }
        let id = said.get("id").cloned();
        let id = id.and_then(|id| serde_json::from_value::<RequestId>(id).ok());
        match id {
            Some(id) if !said.contains_key("method") => {
                let error = ErrorData::internal_error("the answer is malformed", None);
                Self::Message(Box::new(ServerJsonRpcMessage::error(error, Some(id))))
            }
            _ => Self::Nothing,
        }
    }
}
