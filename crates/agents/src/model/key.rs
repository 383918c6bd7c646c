//! Keys of providers, and keeping them out of everything that people see.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Runs of this many characters that a word shares with the key give the word away as part of it.
const SHARED_CHARS_MIN: usize = 4;

/// A key that can't be used. Names where the key came from, never the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is nothing in it.
    #[error("the key {origin} is empty")]
    Empty {
        /// Where the key came from.
        origin: String,
    },
    /// It can't be sent in an HTTP header.
    #[error("the key {origin} holds spaces, line ends or characters outside ASCII")]
    Unsendable {
        /// Where the key came from.
        origin: String,
    },
}

/// A provider's key. It can't be printed; what is printed in its place is where it came from.
#[derive(Clone)]
pub struct ApiKey {
    value: Arc<str>,
    origin: Arc<str>,
}

impl ApiKey {
    /// Takes a key and the name of its origin, e.g. `models.main.api_key from env OPENAI_API_KEY`.
    /// Fails where the key is empty or can't be sent in an HTTP header.
    pub fn new(value: &str, origin: &str) -> Result<Self, KeyError> {
        if value.is_empty() {
            return Err(KeyError::Empty {
                origin: origin.to_owned(),
            });
        }
        if !value.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(KeyError::Unsendable {
                origin: origin.to_owned(),
            });
        }
        Ok(Self {
            value: Arc::from(value),
            origin: Arc::from(origin),
        })
    }

    /// Where the key came from, for people.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub(super) fn expose(&self) -> &str {
        &self.value
    }

    /// `text` without the key and without any word that shares a piece with it. Providers like to
    /// repeat a wrong key with stars in its middle, so looking for the whole key is not enough.
    pub(super) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !text.split(is_gap).any(|word| self.shares_a_piece(word)) {
            return Cow::Borrowed(text);
        }
        let mut clean = String::with_capacity(text.len());
        for piece in text.split_inclusive(is_gap) {
            let word = piece.trim_end_matches(is_gap);
            if self.shares_a_piece(word) {
                clean.push_str("[redacted]");
                clean.push_str(&piece[word.len()..]);
            } else {
                clean.push_str(piece);
            }
        }
        Cow::Owned(clean)
    }

    fn shares_a_piece(&self, word: &str) -> bool {
        let key = self.value.as_bytes();
        let word = word.as_bytes();
        let len = SHARED_CHARS_MIN.min(key.len());
        word.windows(len)
            .any(|run| key.windows(len).any(|piece| piece == run))
    }
}

/// What separates words. A key never holds a space; it may hold any of the others in theory, and
/// then its pieces are still found one by one.
fn is_gap(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '"' | '\'' | ',' | ';' | '(' | ')' | '[' | ']' | '{' | '}'
        )
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({})", self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(value: &str) -> ApiKey {
        ApiKey::new(value, "environment variable OPENAI_API_KEY").expect("a sendable key")
    }

    #[test]
    fn a_key_shows_only_where_it_came_from() {
        let shown = format!("{:?}", key("sk-Zq81xVwP0"));
        assert_eq!(shown, "ApiKey(environment variable OPENAI_API_KEY)");
    }

    #[test]
    fn keys_that_cannot_be_sent_are_refused_by_their_origin() {
        for value in ["", "sk-1 2", "sk-1\n", "schlüssel"] {
            let error = ApiKey::new(value, "file key.txt")
                .expect_err("refused")
                .to_string();
            assert!(
                error.contains("file key.txt") && !error.contains("sk-1"),
                "{error}"
            );
        }
    }

    #[test]
    fn neither_the_key_nor_a_piece_of_it_gets_through() {
        let key = key("sk-Zq81xVwP0aLm3");
        let text = r#"Incorrect key: sk-Zq81xVwP0aLm3, "sk-Z***Lm3" or ***0aLm3. See the docs."#;
        let expected = r#"Incorrect key: [redacted], "[redacted]" or [redacted] See the docs."#;
        assert_eq!(key.redact(text), expected);
        assert_eq!(key.redact("Slow down."), "Slow down.");
    }

    #[test]
    fn a_short_key_is_found_as_a_whole() {
        assert_eq!(key("abc").redact("no abc here"), "no [redacted] here");
    }
}
