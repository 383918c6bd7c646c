//! One attempt at a delivery, and what came of it.

use crate::redaction::Redaction;
use mobkit_domain::time::Time;
use serde_json::Value;

/// What is sent in one attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Sending {
    /// The delivery under a name that is the same for every attempt and no other delivery's, even
    /// of another mob: receivers know repetitions by it. Visible ASCII without spaces; a dot does
    /// not belong in it, since it parts what is signed.
    pub id: String,
    /// For whom.
    pub recipient: String,
    /// On which channel.
    pub channel: Option<String>,
    /// What it says, whole: a text that the journal holds as a reference stands here itself.
    pub payload: Value,
    /// When it was queued. It dates an email and a line of a file, so that every attempt says the
    /// same.
    pub queued: Time,
    /// The time of the attempt. It dates the signature of a webhook, which receivers compare with
    /// their clocks.
    pub now: Time,
    /// Whether an earlier attempt may have gone through, though nobody knows.
    pub repeated: bool,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The receiver has it.
    Delivered {
        /// What the receiver answered: a status of HTTP or SMTP. A file has none.
        status: Option<u16>,
        /// The beginning of its answer, one line of at most 501 characters.
        excerpt: Option<String>,
    },
    /// The receiver does not have it, or would know it again: it may be sent again.
    Failed(SendFailure),
    /// The receiver may have it and would not know it again: it must not be sent again by itself.
    Unknown {
        /// Why nobody knows, one line; never holds a secret.
        reason: String,
    },
}

/// Why the receiver does not have it, so far as one can tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SendFailure {
    /// What the receiver answered: a status of HTTP or SMTP. Absent where it answered nothing.
    pub status: Option<u16>,
    /// Why, one line; names the host or the file and never holds a secret.
    pub reason: String,
    /// The beginning of the answer, one line of at most 501 characters.
    pub excerpt: Option<String>,
    /// How long the receiver asks to be left alone, in milliseconds, at most a day.
    pub retry_after_ms: Option<u64>,
    /// Whether the receiver is gone for good, so that its route is of no use.
    pub gone: bool,
    /// Whether another attempt can't go better, as long as the route and the delivery are what they
    /// are.
    pub hopeless: bool,
}

impl SendFailure {
    /// A failure without an answer.
    pub(crate) fn of(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            ..Self::default()
        }
    }

    /// A failure that repeats itself.
    pub(crate) fn hopeless(reason: impl Into<String>) -> Self {
        Self {
            hopeless: true,
            ..Self::of(reason)
        }
    }
}

/// How much of an answer is kept, in characters.
const EXCERPT_CHARS_MAX: usize = 500;

/// The beginning of an answer as one harmless line; `None` where it says nothing.
pub(crate) fn excerpt(answer: &str, redaction: &Redaction) -> Option<String> {
    let answer = redaction.text(answer);
    let mut line = String::new();
    for word in answer.split(|c: char| c.is_whitespace() || c.is_control()) {
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
    fn an_excerpt_is_one_short_line_without_controls_and_secrets() {
        let of = |answer: &str| excerpt(answer, &Redaction::of(["hunter2".to_owned()]));
        assert_eq!(of(" \r\n\t"), None);
        let said = of("first\r\n\x1b[31mred second").expect("a line");
        assert_eq!(said, "first [31mred second");
        let long = of(&"wört ".repeat(1_000)).expect("a line");
        assert_eq!(long.chars().count(), EXCERPT_CHARS_MAX + 1);
        let cut = of(&format!("{}hunter2", "x".repeat(497))).expect("a line");
        assert!(!cut.contains("hun"), "{cut}");
    }
}
