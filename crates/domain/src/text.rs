//! Text and message content as the journal holds them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// Payloads above this many bytes live in the blob store and appear in events as a [`BlobRef`].
pub const INLINE_BYTES_MAX: usize = 32 * 1024;

/// A reference into the content-addressed blob store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// Text that is held in place up to 32 KiB, and by reference above that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// An image.
    Image {
        /// What it is, e.g. `image/png`.
        media_type: String,
        /// What its sender calls it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Its bytes.
        data: BlobRef,
    },
    /// A file.
    File {
        /// What it is, e.g. `application/pdf`.
        media_type: String,
        /// What its sender calls it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Its bytes.
        data: BlobRef,
    },
}

impl Part {
    /// Whether no text says all of it: an image, or a file of bytes.
    pub fn is_binary(&self) -> bool {
        match self {
            Self::Text { .. } | Self::Data { .. } => false,
            Self::Image { .. } => true,
            Self::File { media_type, .. } => !reads_as_text(media_type),
        }
    }
}

/// Whether a file of this type is UTF-8 text, which every model can read.
pub fn reads_as_text(media_type: &str) -> bool {
    media_type.starts_with("text/") || media_type == "application/json"
}

/// What stands for a file in a text; its content follows where it is text.
pub fn file_line(kind: &str, name: Option<&str>, media_type: &str, bytes: u64) -> String {
    let named = name.map(|name| format!(" {name}")).unwrap_or_default();
    format!("[{kind}{named}, {media_type}, {bytes} bytes]")
}

/// What a message says: its text, and its parts where it was given as parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// All of it as text, in order: data parts as JSON, files by a line that names them, and what
    /// stands in those that are text.
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
