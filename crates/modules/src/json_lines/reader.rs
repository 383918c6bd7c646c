//! Reading what a module writes.

use super::waiting::Waiting;
use super::wire::{Incoming, read};
use crate::client::{ClientError, Host, Limits, STRAY_BYTES_MAX};
use mobkit_domain::id::CallId;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt};

const CHUNK_BYTES: usize = 64 * 1024;

/// Reads lines and passes them on.
pub(super) struct Reader {
    pub(super) waiting: Arc<Waiting>,
    pub(super) host: Arc<dyn Host>,
    pub(super) limits: Limits,
    /// Lines that were no part of the protocol.
    pub(super) stray: u32,
}

impl Reader {
    /// Reads to the end of the conversation, and says why it ended.
    pub(super) async fn run(mut self, stdout: &mut (impl AsyncRead + Unpin)) -> ClientError {
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut line = Vec::new();
        loop {
            let len = match stdout.read(&mut chunk).await {
                Ok(0) | Err(_) => return ClientError::Closed,
                Ok(len) => len,
            };
            let mut rest = &chunk[..len];
            while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
                line.extend_from_slice(&rest[..at]);
                if let Err(broken) = self.take(&line) {
                    return broken;
                }
                line.clear();
                rest = &rest[at + 1..];
            }
            line.extend_from_slice(rest);
            if line.len() > self.limits.line_bytes_max {
                return self.too_long();
            }
        }
    }

    fn too_long(&self) -> ClientError {
        let mebibytes = self.limits.line_bytes_max / (1024 * 1024);
        ClientError::Broken(format!("wrote a line over {mebibytes} MiB"))
    }

    fn take(&mut self, line: &[u8]) -> Result<(), ClientError> {
        if line.len() > self.limits.line_bytes_max {
            return Err(self.too_long());
        }
        let expected = match read(line) {
            Some(Incoming::Answer { id, outcome }) => self.waiting.answer(&id, outcome),
            Some(Incoming::Progress { id, message }) => {
                let call: Option<CallId> = id.parse().ok();
                let known = self.waiting.knows(&id);
                if let (true, Some(call)) = (known, call) {
                    self.host.progress(call, message);
                }
                known
            }
            Some(Incoming::Event(event)) => {
                self.host.said(event);
                true
            }
            None => line.iter().all(u8::is_ascii_whitespace),
        };
        if expected {
            return Ok(());
        }
        let shown = &line[..line.len().min(STRAY_BYTES_MAX)];
        self.host.stray(String::from_utf8_lossy(shown).into_owned());
        self.stray += 1;
        if self.stray > self.limits.unexpected_lines_max {
            let most = self.limits.unexpected_lines_max;
            return Err(ClientError::Broken(format!(
                "wrote more than {most} lines that are no part of the protocol"
            )));
        }
        Ok(())
    }
}
