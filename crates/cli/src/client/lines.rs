//! Cutting a stream of bytes into lines.

use crate::failure::{Exit, Failure};

/// Longest line of a stream. Events are far shorter; whoever sends more is not a mobkit server.
const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes that came and are not yet a whole line.
#[derive(Debug, Default)]
pub(super) struct LineBuffer {
    bytes: Vec<u8>,
    /// Where the search for the next line end goes on.
    searched: usize,
    /// Where the next line starts.
    start: usize,
}

impl LineBuffer {
    /// Adds bytes that came.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        self.bytes.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        if self.bytes.len() + chunk.len() > LINE_BYTES_MAX {
            let message = format!("the server sends a line of more than {LINE_BYTES_MAX} bytes");
            return Err(Failure::new(Exit::Failed, "stream.line_too_long", message));
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    /// The next whole line, without its end.
    pub fn next_line(&mut self) -> Option<String> {
        let found = self.bytes[self.searched..]
            .iter()
            .position(|byte| *byte == b'\n');
        let Some(length) = found else {
            self.searched = self.bytes.len();
            return None;
        };
        let end = self.searched + length;
        let line = &self.bytes[self.start..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = String::from_utf8_lossy(line).into_owned();
        self.start = end + 1;
        self.searched = self.start;
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_wherever_the_chunks_are() {
        let text = "one\r\ntwo\n\nthr\u{e9}e\nrest";
        for size in 1..=text.len() {
            let mut buffer = LineBuffer::default();
            let mut lines = Vec::new();
            for chunk in text.as_bytes().chunks(size) {
                buffer.push(chunk).expect("short lines");
                lines.extend(std::iter::from_fn(|| buffer.next_line()));
            }
            assert_eq!(lines, ["one", "two", "", "thr\u{e9}e"], "{size}");
        }
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut buffer = LineBuffer::default();
        let chunk = vec![b'x'; LINE_BYTES_MAX];
        buffer.push(&chunk).expect("as long as allowed");
        assert!(buffer.next_line().is_none());
        assert!(buffer.push(b"x").is_err());
    }
}
