//! Messages as lines: one JSON text per line.

use super::wire::{Incoming, Inlet, MESSAGE_BYTES_MAX, Outlet, SessionEnd};
use bytes::{Bytes, BytesMut};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Reads lines; empty ones are left out.
pub(crate) struct LinesIn<R> {
    reader: R,
    buffer: BytesMut,
    /// How much of the buffer holds no line break.
    searched: usize,
    /// Whether the line that is being read is too long.
    skipping: bool,
    ended: bool,
}

impl<R> LinesIn<R> {
    /// Lines of `reader`.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: BytesMut::new(),
            searched: 0,
            skipping: false,
            ended: false,
        }
    }

    /// The next line of what was read so far.
    fn line(&mut self) -> Option<Incoming> {
        loop {
            let unseen = &self.buffer[self.searched..];
            let found = unseen.iter().position(|byte| *byte == b'\n');
            let Some(at) = found.map(|at| at + self.searched) else {
                self.searched = self.buffer.len();
                if self.searched > MESSAGE_BYTES_MAX {
                    self.skipping = true;
                    self.forget();
                }
                return None;
            };
            let line = self.buffer.split_to(at + 1).freeze();
            self.searched = 0;
            if let Some(incoming) = self.whole(&line) {
                return Some(incoming);
            }
        }
    }

    fn whole(&mut self, line: &Bytes) -> Option<Incoming> {
        let text = line.trim_ascii();
        if std::mem::take(&mut self.skipping) || text.len() > MESSAGE_BYTES_MAX {
            return Some(Incoming::TooLarge);
        }
        (!text.is_empty()).then(|| Incoming::Text(line.slice_ref(text)))
    }

    fn forget(&mut self) {
        self.buffer.clear();
        self.searched = 0;
    }
}

impl<R: AsyncRead + Unpin + Send> Inlet for LinesIn<R> {
    async fn next(&mut self) -> Incoming {
        loop {
            if let Some(incoming) = self.line() {
                return incoming;
            }
            if self.ended {
                return Incoming::Ended;
            }
            match self.reader.read_buf(&mut self.buffer).await {
                Ok(read) if read > 0 => {}
                // What can't be read says nothing any longer.
                Ok(_) | Err(_) => {
                    self.ended = true;
                    let rest = self.buffer.split().freeze();
                    self.searched = 0;
                    if let Some(incoming) = self.whole(&rest) {
                        return incoming;
                    }
                }
            }
        }
    }
}

/// Writes lines.
pub(crate) struct LinesOut<W>(pub W);

impl<W: AsyncWrite + Unpin + Send> Outlet for LinesOut<W> {
    async fn send(&mut self, mut text: String) -> io::Result<()> {
        text.push('\n');
        self.0.write_all(text.as_bytes()).await?;
        self.0.flush().await
    }

    async fn close(&mut self, _: &SessionEnd) {
        // Who no longer reads can't be told.
        let _ = self.0.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(input: &[u8]) -> Vec<String> {
        let mut lines = LinesIn::new(input);
        let mut seen = Vec::new();
        loop {
            match lines.next().await {
                Incoming::Text(text) => seen.push(String::from_utf8_lossy(&text).into_owned()),
                Incoming::TooLarge => seen.push("too large".to_owned()),
                Incoming::Ended => return seen,
            }
        }
    }

    #[tokio::test]
    async fn lines_are_whole_and_empty_ones_are_left_out() {
        assert_eq!(read(b"a\n\r\n  b \r\n\nc").await, ["a", "b", "c"]);
        assert_eq!(read(b"").await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_skipped_and_the_next_is_read() {
        for length in [MESSAGE_BYTES_MAX + 1, 3 * MESSAGE_BYTES_MAX] {
            let long = "x".repeat(length);
            let input = format!("a\n{long}\nb\n{long}");
            let seen = read(input.as_bytes()).await;
            assert_eq!(seen, ["a", "too large", "b", "too large"]);
        }
        let longest = "x".repeat(MESSAGE_BYTES_MAX);
        let seen = read(format!("{longest}\n").as_bytes()).await;
        assert!(seen == [longest]);
    }
}
