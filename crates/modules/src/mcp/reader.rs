//! Reading what a child writes.

use super::link::Link;
use crate::client::{ClientError, Limits, STRAY_BYTES_MAX};
use futures::StreamExt;
use rmcp::model::{ErrorData, RequestId, ServerJsonRpcMessage};
use serde_json::Value;
use std::sync::Arc;
use tokio::io::AsyncRead;
use tokio::sync::mpsc;
use tokio_util::codec::{AnyDelimiterCodec, AnyDelimiterCodecError, FramedRead};

/// Reads lines and passes on the messages among them.
pub(super) struct Reader {
    link: Arc<Link>,
    limits: Limits,
    pass: mpsc::Sender<ServerJsonRpcMessage>,
    /// Lines that were no message.
    stray: u32,
}

impl Reader {
    pub(super) fn new(
        link: Arc<Link>,
        limits: Limits,
        pass: mpsc::Sender<ServerJsonRpcMessage>,
    ) -> Self {
        Self {
            link,
            limits,
            pass,
            stray: 0,
        }
    }

    /// Reads until the output ends, or breaks the conversation.
    pub(super) async fn run(mut self, stdout: impl AsyncRead + Unpin) {
        let most = self.limits.line_bytes_max;
        let codec = AnyDelimiterCodec::new_with_max_length(b"\n".to_vec(), Vec::new(), most);
        let mut lines = FramedRead::new(stdout, codec);
        let end = loop {
            match lines.next().await {
                Some(Ok(line)) => {
                    if let Err(end) = self.take(&line).await {
                        break end;
                    }
                }
                Some(Err(AnyDelimiterCodecError::MaxChunkLengthExceeded)) => {
                    let mebibytes = most / (1024 * 1024);
                    break ClientError::Broken(format!("wrote a line over {mebibytes} MiB"));
                }
                Some(Err(AnyDelimiterCodecError::Io(_))) | None => break ClientError::Closed,
            }
            if self.pass.is_closed() {
                // Nobody listens any more; the last words go nowhere.
                let mut stdout = lines.into_inner();
                let _ = tokio::io::copy(&mut stdout, &mut tokio::io::sink()).await;
                return;
            }
        };
        self.link.end(end);
    }

    async fn take(&mut self, line: &[u8]) -> Result<(), ClientError> {
        match Line::read(line) {
            Line::Message(message) => {
                // The loop sees that nobody listens.
                let _ = self.pass.send(*message).await;
                Ok(())
            }
            Line::Nothing => Ok(()),
            Line::Stray => self.stray(line),
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

    /// JSON-RPC of a shape that the protocol doesn't have. An answer still ends its request, since
    /// whoever waits for it would wait for ever.
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
