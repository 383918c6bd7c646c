//! What waits to be written.

use std::collections::VecDeque;

/// Most bytes that wait for a reader; one that lets more gather reads too slowly for what it asks.
const BACKLOG_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Messages in their order.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    texts: VecDeque<String>,
    bytes: usize,
}

impl Backlog {
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Whether more waits than may.
    pub fn is_over(&self) -> bool {
        self.bytes > BACKLOG_BYTES_MAX
    }

    pub fn push(&mut self, text: String) {
        self.bytes += text.len();
        self.texts.push_back(text);
    }

    pub fn pop(&mut self) -> Option<String> {
        let text = self.texts.pop_front()?;
        self.bytes -= text.len();
        Some(text)
    }
}
