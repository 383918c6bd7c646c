//! Text and message content as the journal holds them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// Payloads above this many bytes live in the blob store and appear in events as a [`BlobRef`].
pub const INLINE_BYTES_MAX: usize = 32 * 1024;

/// A reference into the content-addressed blob store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlobRef {
    /// `sha256:` and the digest of the content in hex.
    pub blob: String,
    /// Size of the content in bytes.
    pub bytes: u64,
}

impl BlobRef {
    /// Whether it could be the name of a blob: `sha256:` and 64 digits in lower-case hex.
    pub fn is_well_formed(&self) -> bool {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let digest = self.blob.strip_prefix("sha256:");
        digest.is_some_and(|hex| hex.len() == 64 && hex.bytes().all(is_hex))
    }
}

/// Text that is held in place up to [`INLINE_BYTES_MAX`], and by reference above that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// The text itself.
    Inline(Arc<str>),
    /// Where the text is.
    Blob(BlobRef),
}

impl Text {
    /// The text, if it is held in place.
    pub fn inline(&self) -> Option<&str> {
        match self {
            Self::Inline(text) => Some(text),
            Self::Blob(_) => None,
        }
    }

    /// At most `chars_max` characters on one line, for summaries.
    pub fn excerpt(&self, chars_max: usize) -> String {
        let text = match self {
            Self::Inline(text) => text,
            Self::Blob(blob) => return format!("({} bytes)", blob.bytes),
        };
        let mut line: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(chars_max + 1)
            .collect();
        if line.chars().count() > chars_max {
            line.pop();
            line.push('…');
        }
        line
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Inline(Arc::from(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Inline(Arc::from(text))
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::from("")
    }
}

/// One part of a message that is not just text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Part {
    /// Plain text.
    Text {
        /// The text.
        text: Text,
    },
    /// Structured data, shown to the model as JSON.
    Data {
        /// The data.
        data: Value,
    },
}

/// What a message says: its text, and its parts where it was given as parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// All of it as text, in order; data parts as JSON.
    pub text: Text,
    /// The parts as they were given; empty for plain text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self {
            text: text.into(),
            parts: Vec::new(),
        }
    }
}
