//! The conversation with the runtime: requests and their answers, and what it says by itself.

use super::frames::{self, Frame, LINE_BYTES_MAX, RequestError};
use mobkit_engine::{OnError, OnStop, TaskKind, Tasks};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// How much a listener may keep for those who have not heard it yet; past it the connection is
/// broken ([`Flooded`]).
pub const HEARD_MAX: usize = 65_536;
/// How many lines may wait for a runtime that does not read; past it the connection is broken.
const OUTGOING_MAX: usize = 16_384;
const CHUNK_BYTES: usize = 64 * 1024;
/// The code under which a request is refused here that is too long to be read there.
const TOO_LONG: i64 = -32_600;

const READER: TaskKind = TaskKind {
    name: "engine reader",
    on_stop: OnStop::Abort,
    on_error: OnError::Report,
};
const WRITER: TaskKind = TaskKind {
    name: "engine writer",
    ..READER
};

/// More came than a listener can keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flooded;

/// Hears what the runtime says that is no answer. Called from the task that reads, in the order of
/// the lines, so nothing here may wait.
pub trait Listener: Send + Sync + 'static {
    /// It says something.
    fn notification(&self, method: &str, params: Value) -> Result<(), Flooded>;

    /// It wants an answer, under this id ([`Connection::answer`]).
    fn call(&self, id: String, method: &str, params: Value) -> Result<(), Flooded>;

    /// The connection has ended, for this reason. Called once, last.
    fn closed(&self, reason: &str);
}

type Answers = HashMap<u64, oneshot::Sender<Result<Value, RequestError>>>;

/// Requests that wait, or why the connection has ended.
enum Standing {
    Open { next: u64, answers: Answers },
    Over { reason: String, broken: bool },
}

/// Why nothing more is read.
enum Silence {
    Ended(&'static str),
    Broken(String),
}

struct Shared {
    standing: Mutex<Standing>,
    outgoing: mpsc::Sender<String>,
    /// Fires when the connection has ended.
    closed: CancellationToken,
    /// Fires when nothing more is to be written: the input of the runtime ends.
    closing: CancellationToken,
}

/// A connection to a running runtime. Clones share it. It ends with the runtime, or as soon as that
/// breaks the protocol; it never comes back.
#[derive(Clone)]
pub struct Connection {
    shared: Arc<Shared>,
}

impl Connection {
    /// Begins to speak over the streams of a child.
    pub fn over(
        input: impl AsyncWrite + Send + Unpin + 'static,
        output: impl AsyncRead + Send + Unpin + 'static,
        listener: Arc<dyn Listener>,
        tasks: &Tasks,
    ) -> Self {
        let (outgoing, lines) = mpsc::channel(OUTGOING_MAX);
        let standing = Standing::Open {
            next: 1,
            answers: HashMap::new(),
        };
        let shared = Arc::new(Shared {
            standing: Mutex::new(standing),
            outgoing,
            closed: CancellationToken::new(),
            closing: CancellationToken::new(),
        });
        let connection = Self { shared };
        let (reading, writing) = (connection.clone(), connection.clone());
        tasks.spawn(READER, async move {
            let reason = tokio::select! {
                biased;
                () = reading.shared.closed.cancelled() => None,
                reason = reading.read(output, listener.as_ref()) => Some(reason),
            };
            match reason {
                Some(Silence::Ended(reason)) => reading.over_with(reason.to_owned(), false),
                Some(Silence::Broken(reason)) => reading.over_with(reason, true),
                None => {}
            }
            listener.closed(&reading.reason());
        });
        tasks.spawn(WRITER, async move {
            let closing = writing.shared.closing.clone();
            let closed = writing.shared.closed.clone();
            tokio::select! {
                biased;
                () = closed.cancelled() => {}
                written = write(input, lines, closing) => if written.is_err() {
                    writing.over_with("has closed its input".to_owned(), false);
                }
            }
        });
        connection
    }

    /// Asks for something and waits for the answer, however long that takes. Dropping the future
    /// forgets the answer; the request is carried out nevertheless.
    pub async fn request(&self, method: &str, params: Value) -> Result<Value, RequestError> {
        let (id, answer) = self.open()?;
        let line = frames::request(id, method, &params);
        let _open = Open {
            connection: self,
            id,
        };
        if line.len() > LINE_BYTES_MAX {
            return Err(RequestError::Refused {
                code: TOO_LONG,
                message: format!("{method} has {} bytes, too much for one line", line.len()),
                data: None,
            });
        }
        self.send(line);
        // Without a sender the connection has ended.
        let answered = answer.await;
        answered.unwrap_or_else(|_| Err(RequestError::Closed(self.reason())))
    }

    /// Says something that has no answer.
    pub fn notify(&self, method: &str, params: &Value) {
        self.send(frames::notification(method, params));
    }

    /// Answers a call of the runtime; the error is told to its model.
    pub fn answer(&self, id: &str, result: Result<Value, String>) {
        let mut line = frames::answer(id, result);
        if line.len() > LINE_BYTES_MAX {
            let message = format!("the result has {} bytes, too much for one line", line.len());
            line = frames::answer(id, Err(message));
        }
        self.send(line);
    }

    /// Fires when the connection has ended.
    pub fn closed(&self) -> &CancellationToken {
        &self.shared.closed
    }

    /// Why it has ended; empty while it has not.
    pub fn reason(&self) -> String {
        match &*self.lock() {
            Standing::Open { .. } => String::new(),
            Standing::Over { reason, .. } => reason.clone(),
        }
    }

    /// Whether it was broken off, on either side's account, rather than that the runtime ended.
    pub fn is_broken(&self) -> bool {
        matches!(*self.lock(), Standing::Over { broken: true, .. })
    }

    /// Ends it: what waits for an answer gets none, and the process is ended. The first reason
    /// stays; it says what the runtime did: `answers what nobody asked`.
    pub fn break_off(&self, reason: impl Into<String>) {
        self.over_with(reason.into(), true);
    }

    fn over_with(&self, reason: String, broken: bool) {
        let mut standing = self.lock();
        if matches!(*standing, Standing::Open { .. }) {
            let before = std::mem::replace(&mut *standing, Standing::Over { reason, broken });
            // Not under the lock: whoever waits is woken by the drop.
            drop(standing);
            drop(before);
            self.shared.closed.cancel();
        }
    }

    /// Ends the input of the runtime, once what waits is written: it is asked to stop, and its
    /// answers are still read.
    pub fn close_input(&self) {
        self.shared.closing.cancel();
    }

    fn open(&self) -> Result<(u64, oneshot::Receiver<Result<Value, RequestError>>), RequestError> {
        match &mut *self.lock() {
            Standing::Over { reason, .. } => Err(RequestError::Closed(reason.clone())),
            Standing::Open { next, answers } => {
                let (sender, receiver) = oneshot::channel();
                let id = *next;
                *next += 1;
                answers.insert(id, sender);
                Ok((id, receiver))
            }
        }
    }

    fn send(&self, line: String) {
        if self.shared.closing.is_cancelled() {
            tracing::debug!("not sent, since the input of the engine was closed");
        } else if let Err(mpsc::error::TrySendError::Full(_)) = self.shared.outgoing.try_send(line)
        {
            self.break_off("does not read what it is sent");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Standing> {
        let standing = &self.shared.standing;
        standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads to the end of the conversation, and says why it ended.
    async fn read(&self, mut output: impl AsyncRead + Unpin, listener: &dyn Listener) -> Silence {
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut line = Vec::new();
        loop {
            let len = match output.read(&mut chunk).await {
                Ok(0) | Err(_) if line.is_empty() => {
                    return Silence::Ended("has closed its output");
                }
                Ok(0) | Err(_) => return Silence::Ended("has closed its output within a line"),
                Ok(len) => len,
            };
            let mut rest = &chunk[..len];
            while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
                line.extend_from_slice(&rest[..at]);
                if let Err(broken) = self.take(&line, listener) {
                    return Silence::Broken(broken);
                }
                line.clear();
                // A long line leaves no room behind that is not needed again.
                line.shrink_to(CHUNK_BYTES);
                rest = &rest[at + 1..];
            }
            line.extend_from_slice(rest);
            if line.len() > LINE_BYTES_MAX {
                return Silence::Broken(too_long());
            }
        }
    }

    fn take(&self, line: &[u8], listener: &dyn Listener) -> Result<(), String> {
        if line.len() > LINE_BYTES_MAX {
            return Err(too_long());
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let heard = match frames::read(line)? {
            Frame::Answer { id, outcome } => {
                self.answered(id, outcome);
                Ok(())
            }
            Frame::Notification { method, params } => listener.notification(&method, params),
            Frame::Call { id, method, params } => listener.call(id, &method, params),
        };
        heard.map_err(|Flooded| format!("floods: more than {HEARD_MAX} lines wait to be heard"))
    }

    fn answered(&self, id: Option<u64>, outcome: Result<Value, RequestError>) {
        let waiting = match &mut *self.lock() {
            Standing::Open { answers, .. } => id.and_then(|id| answers.remove(&id)),
            Standing::Over { .. } => None,
        };
        if let Some(waiting) = waiting {
            // Whoever gave up in this instant needs no answer.
            let _ = waiting.send(outcome);
        } else {
            tracing::debug!(id, "the engine answered what nobody waits for");
        }
    }
}

/// A request that waits for its answer.
struct Open<'a> {
    connection: &'a Connection,
    id: u64,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if let Standing::Open { answers, .. } = &mut *self.connection.lock() {
            answers.remove(&self.id);
        }
    }
}

fn too_long() -> String {
    let mebibytes = LINE_BYTES_MAX / (1024 * 1024);
    format!("wrote a line over {mebibytes} MiB")
}

/// Writes lines until there will be none; then the input of the runtime ends.
async fn write(
    mut input: impl AsyncWrite + Unpin,
    mut lines: mpsc::Receiver<String>,
    closing: CancellationToken,
) -> std::io::Result<()> {
    loop {
        let line = tokio::select! {
            biased;
            line = lines.recv() => line,
            () = closing.cancelled() => None,
        };
        let Some(line) = line else {
            return input.shutdown().await;
        };
        input.write_all(line.as_bytes()).await?;
        input.flush().await?;
    }
}

#[cfg(test)]
mod tests;
