//! The module's end of the pipes.

use super::host::{Heard, Listener};
use crate::client::{Call, Client, Limits};
use crate::mcp::{ConnectError, Opening, connect_stdio};
use mobkit_domain::id::CallId;
use mobkit_engine::Tasks;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines};
use tokio::sync::mpsc;

pub(super) const PIPE_BYTES: usize = 64 * 1024;

/// A server in the hands of a test.
pub(super) struct Peer {
    lines: Lines<BufReader<DuplexStream>>,
    out: DuplexStream,
}

impl Peer {
    /// The next message, or `None` where the input is closed.
    pub(super) async fn next(&mut self) -> Option<Value> {
        let line = self.lines.next_line().await.expect("readable");
        line.map(|line| serde_json::from_str(&line).expect("a JSON document"))
    }

    /// The next message, which is a request or a notification of this method.
    pub(super) async fn expect(&mut self, method: &str) -> Value {
        let message = self.next().await.expect("a message");
        assert_eq!(message["method"], method, "{message}");
        message
    }

    pub(super) async fn say(&mut self, message: Value) {
        self.raw(&format!("{message}\n")).await;
    }

    pub(super) async fn raw(&mut self, text: &str) {
        self.out.write_all(text.as_bytes()).await.expect("writable");
    }

    /// Writes as long as somebody reads.
    pub(super) async fn try_raw(&mut self, text: &str) -> bool {
        self.out.write_all(text.as_bytes()).await.is_ok()
    }

    /// Closes the output.
    pub(super) fn hang_up(&mut self) {
        let (closed, _) = tokio::io::duplex(1);
        self.out = closed;
    }

    pub(super) async fn answer(&mut self, request: &Value, result: Value) {
        self.say(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }))
            .await;
    }

    pub(super) async fn refuse(&mut self, request: &Value, error: Value) {
        self.say(json!({ "jsonrpc": "2.0", "id": request["id"], "error": error }))
            .await;
    }

    pub(super) async fn notify(&mut self, method: &str, params: Value) {
        self.say(json!({ "jsonrpc": "2.0", "method": method, "params": params }))
            .await;
    }

    /// Plays the beginning of the newer era.
    pub(super) async fn discovered(&mut self, capabilities: &Value) -> Value {
        let request = self.expect("server/discover").await;
        self.answer(&request, discovery(capabilities)).await;
        request
    }

    /// Plays the beginning of the era before, after `server/discover` was refused.
    pub(super) async fn initialized(&mut self, version: &str) -> Value {
        let request = self.expect("server/discover").await;
        let unknown = json!({ "code": -32601, "message": "Method not found" });
        self.refuse(&request, unknown).await;
        let request = self.expect("initialize").await;
        self.answer(&request, welcome(version)).await;
        self.expect("notifications/initialized").await;
        request
    }
}

/// The answer to `server/discover`.
pub(super) fn discovery(capabilities: &Value) -> Value {
    json!({
        "resultType": "complete",
        "supportedVersions": ["2026-07-28"],
        "capabilities": capabilities,
        "ttlMs": 3_600_000,
        "cacheScope": "public",
        "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "shop", "version": "1.2" } },
    })
}

/// The answer to `initialize`.
pub(super) fn welcome(version: &str) -> Value {
    json!({
        "protocolVersion": version,
        "capabilities": { "tools": { "listChanged": true } },
        "serverInfo": { "name": "shop", "version": "1.2" },
    })
}

/// The end of the pipes that belongs to mobkit, its host and its tasks.
pub(super) struct Ends {
    pub(super) tasks: Tasks,
    pub(super) limits: Limits,
    pub(super) answers: Vec<Option<Value>>,
    pub(super) opening: Opening,
}

impl Default for Ends {
    fn default() -> Self {
        Self {
            tasks: Tasks::new(),
            limits: Limits::default(),
            answers: Vec::new(),
            opening: Opening::Discover,
        }
    }
}

type Connected = Result<Arc<dyn Client>, ConnectError>;

impl Ends {
    /// Connects while `play` plays the beginning; the peer goes on in the hands of the test.
    pub(super) async fn meet(
        self,
        play: impl AsyncFnOnce(&mut Peer),
    ) -> (Connected, Peer, mpsc::Receiver<Heard>) {
        let (stdin, theirs_in) = tokio::io::duplex(PIPE_BYTES);
        let (theirs_out, stdout) = tokio::io::duplex(PIPE_BYTES);
        let mut peer = Peer {
            lines: BufReader::new(theirs_in).lines(),
            out: theirs_out,
        };
        let (host, heard) = Listener::answering(self.answers);
        let connecting = connect_stdio(stdin, stdout, host, self.limits, &self.tasks, self.opening);
        let (connected, ()) = tokio::join!(connecting, play(&mut peer));
        (connected, peer, heard)
    }

    /// A conversation of the newer era.
    pub(super) async fn modern(self) -> (Arc<dyn Client>, Peer, mpsc::Receiver<Heard>) {
        let tools = json!({ "tools": {} });
        let (client, peer, heard) = self
            .meet(async |peer| {
                peer.discovered(&tools).await;
            })
            .await;
        (client.expect("connected"), peer, heard)
    }

    /// A conversation of the era before.
    pub(super) async fn before(self) -> (Arc<dyn Client>, Peer, mpsc::Receiver<Heard>) {
        let (client, peer, heard) = self
            .meet(async |peer| {
                peer.initialized("2025-11-25").await;
            })
            .await;
        (client.expect("connected"), peer, heard)
    }
}

/// A call of the tool `buy`.
pub(super) fn call(reply: u64) -> Call {
    Call {
        id: id(reply),
        tool: "buy".to_owned(),
        args: json!({ "what": "tea", "n": 2 }),
    }
}

pub(super) fn id(reply: u64) -> CallId {
    CallId { reply, index: 1 }
}

/// A result of one text.
pub(super) fn says(text: &str) -> Value {
    json!({ "resultType": "complete", "content": [{ "type": "text", "text": text }] })
}
