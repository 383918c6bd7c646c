//! One attempt at a delivery, and what came of it.

use mobkit_domain::time::Time;
use serde_json::Value;

/// What is sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sending {
    /// The delivery under a name that is the same for every attempt and no other delivery's, even
    /// of another mob: receivers know repetitions by it.
    pub(crate) id: String,
    /// For whom.
    pub(crate) recipient: String,
    /// On which channel.
    pub(crate) channel: Option<String>,
    /// What it says.
    pub(crate) payload: Value,
    /// When it was queued.
    pub(crate) queued: Time,
    /// The time of the attempt.
    pub(crate) now: Time,
    /// Whether an attempt may have gone through already, though nobody knows.
    pub(crate) repeated: bool,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The receiver has it.
    Delivered {
        /// What the receiver answered: a status of HTTP or SMTP.
        status: Option<u16>,
        /// The beginning of its answer.
        excerpt: Option<String>,
    },
    /// The receiver does not have it.
    Failed(SendFailure),
    /// Nobody can say whether the receiver has it.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// Why the receiver does not have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SendFailure {
    /// What the receiver answered.
    pub(crate) status: Option<u16>,
    /// Why, one line; never holds a secret.
    pub(crate) reason: String,
    /// The beginning of the answer.
    pub(crate) excerpt: Option<String>,
    /// How long the receiver asks to be left alone, in milliseconds.
    pub(crate) retry_after_ms: Option<u64>,
    /// Whether the receiver is gone for good, so that its route is of no use.
    pub(crate) gone: bool,
    /// Whether another attempt can't go better.
    pub(crate) hopeless: bool,
}

impl SendFailure {
    /// A failure without an answer.
    pub(crate) fn of(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            ..Self::default()
        }
    }
}

/// How much of an answer is kept, in characters.
const EXCERPT_CHARS_MAX: usize = 500;

/// The beginning of an answer as one harmless line; `None` where it says nothing.
pub(crate) fn excerpt(answer: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(answer);
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if let Some((cut, _)) = line.char_indices().nth(EXCERPT_CHARS_MAX) {
            line.truncate(cut);
            line.push('…');
            break;
        }
    }
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_short_line_without_controls() {
        assert_eq!(excerpt(b" \r\n\t"), None);
        let said = excerpt(b"first\r\n\x1b[31mred second").expect("a line");
        assert_eq!(said, "first [31mred second");
        let long = excerpt("wört ".repeat(1_000).as_bytes()).expect("a line");
        assert_eq!(long.chars().count(), EXCERPT_CHARS_MAX + 1);
    }
}
