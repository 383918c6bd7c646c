//! The client of a module that speaks JSON lines.

use super::reader::Reader;
use super::waiting::Waiting;
use super::wire;
use crate::client::{Call, Client, ClientError, Host, Limits};
use async_trait::async_trait;
use mobkit_domain::event::ToolDefinition;
use mobkit_engine::{OnError, OnStop, TaskKind, Tasks};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How many requests may wait for a module that does not read; further calls wait for room.
const OUTGOING_MAX: usize = 64;

const READER: TaskKind = TaskKind {
    name: "json-lines reader",
    on_stop: OnStop::Abort,
    on_error: OnError::Report,
};
const WRITER: TaskKind = TaskKind {
    name: "json-lines writer",
    ..READER
};

/// A conversation. Dropping it ends it.
pub(crate) struct JsonLines {
    waiting: Arc<Waiting>,
    outgoing: mpsc::Sender<String>,
    /// Why the conversation is over, once it is.
    over: watch::Receiver<Option<ClientError>>,
    closing: CancellationToken,
    _dropped: DropGuard,
    probes: AtomicU64,
    lists: AtomicU64,
    limits: Limits,
}

impl JsonLines {
    /// Begins a conversation over the streams of a child.
    pub(crate) fn connect(
        stdin: impl AsyncWrite + Send + Unpin + 'static,
        mut stdout: impl AsyncRead + Send + Unpin + 'static,
        host: Arc<dyn Host>,
        limits: Limits,
        tasks: &Tasks,
    ) -> Self {
        let waiting = Arc::new(Waiting::default());
        let (outgoing, lines) = mpsc::channel(OUTGOING_MAX);
        let (tell, over) = watch::channel(None);
        let closing = CancellationToken::new();
        let reader = Reader {
            waiting: Arc::clone(&waiting),
            host,
            limits,
            stray: 0,
        };
        // Neither of the two waits for the other: a module may write while it does not read.
        let ending = closing.clone();
        tasks.spawn(READER, async move {
            let why = reader.run(&mut stdout).await;
            tell.send_replace(Some(why));
            // Not closed before the end: a module that writes into a closed pipe dies of that, and
            // nobody could tell any longer why the conversation ended.
            ending.cancelled().await;
        });
        tasks.spawn(WRITER, write(stdin, lines, closing.clone()));
        Self {
            waiting,
            outgoing,
            over,
            _dropped: closing.clone().drop_guard(),
            closing,
            probes: AtomicU64::new(0),
            lists: AtomicU64::new(0),
            limits,
        }
    }

    async fn over(&self) -> ClientError {
        let mut over = self.over.clone();
        let why = over.wait_for(Option::is_some).await;
        // Without a reader, e.g. in a shutdown, nothing more comes.
        why.ok()
            .and_then(|why| why.clone())
            .unwrap_or(ClientError::Closed)
    }

    async fn request(&self, id: String, line: Value) -> Result<Value, ClientError> {
        let Some(answer) = self.waiting.open(&id) else {
            return Err(ClientError::Refused(format!("{id} is being made already")));
        };
        let open = Open {
            client: self,
            id,
            is_sent: false,
        };
        let exchange = async {
            let mut open = open;
            if self.outgoing.send(format!("{line}\n")).await.is_err() {
                return Err(ClientError::Closed);
            }
            open.is_sent = true;
            match answer.await {
                Ok(Ok(result)) => Ok(result),
                Ok(Err(error)) => Err(ClientError::Failed(error)),
                Err(_) => Err(ClientError::Closed),
            }
        };
        tokio::select! {
            biased;
            answer = exchange => answer,
            why = self.over() => Err(why),
        }
    }
}

/// A request that waits for its answer. Dropped before, it is cancelled at the module.
struct Open<'a> {
    client: &'a JsonLines,
    id: String,
    is_sent: bool,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if self.client.waiting.cancel(&self.id) && self.is_sent {
            // A module that does not read can't be told.
            let line = format!("{}\n", wire::cancel(&self.id));
            let _ = self.client.outgoing.try_send(line);
        }
    }
}

/// Writes lines until the conversation is closed; then the input of the module ends.
async fn write(
    mut stdin: impl AsyncWrite + Unpin,
    mut lines: mpsc::Receiver<String>,
    closing: CancellationToken,
) {
    let all = async {
        while let Some(line) = lines.recv().await {
            // A module that has closed its input gets nothing more; its output may go on.
            if stdin.write_all(line.as_bytes()).await.is_err() || stdin.flush().await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = closing.cancelled() => {}
        () = all => {}
    }
}

#[async_trait]
impl Client for JsonLines {
    fn protocol(&self) -> String {
        "json-lines".to_owned()
    }

    async fn tools(&self) -> Result<Vec<ToolDefinition>, ClientError> {
        let id = match self.lists.fetch_add(1, Ordering::Relaxed) {
            0 => "tools".to_owned(),
            more => format!("tools-{}", more + 1),
        };
        let line = wire::list(&id);
        let result = self.request(id, line).await?;
        wire::tools(&result, self.limits.tools_max).map_err(ClientError::Broken)
    }

    async fn call(&self, call: Call) -> Result<String, ClientError> {
        let id = call.id.to_string();
        let line = wire::call(&id, &call.tool, &call.args);
        self.request(id, line).await.map(wire::text_of)
    }

    async fn probe(&self) -> Result<(), ClientError> {
        let number = self.probes.fetch_add(1, Ordering::Relaxed) + 1;
        let id = format!("probe-{number}");
        let line = wire::ping(&id);
        match self.request(id, line).await {
            // Even an error is a sign of life.
            Ok(_) | Err(ClientError::Refused(_) | ClientError::Failed(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn close(&self) {
        self.closing.cancel();
    }

    async fn closed(&self) -> ClientError {
        self.over().await
    }
}
