//! What is sent: text of the command line, of a file or of stdin, whole or by lines; and its keys.

use crate::failure::{Exit, Failure};
use crate::hex::hex;
use sha2::{Digest, Sha256};
use std::io::Read;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};

/// The name that stands for stdin.
pub(crate) const STDIN: &str = "-";

/// A line with its number in the file, from 1, and its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub number: u64,
    pub text: String,
    pub key: String,
}

/// The lines of a source, one after the other.
pub(super) struct LineSource {
    lines: Origin,
    prefix: String,
    number: u64,
}

enum Origin {
    /// All are there.
    Whole(std::vec::IntoIter<String>),
    /// They come as somebody writes them.
    Live(Lines<BufReader<Stdin>>),
}

impl LineSource {
    /// Opens `source`. With a key of the user the lines of stdin are sent as they come; without one
    /// the whole content has to be known first, since it makes the keys, with whom it goes to.
    pub fn open(source: &str, key: Option<&str>, to: &str) -> Result<Self, Failure> {
        if let (STDIN, Some(key)) = (source, key) {
            let lines = Origin::Live(BufReader::new(tokio::io::stdin()).lines());
            return Ok(Self {
                lines,
                prefix: key.to_owned(),
                number: 0,
            });
        }
        let content = read(source)?;
        let prefix = key.map_or_else(|| prefix(to, &content), str::to_owned);
        Ok(Self::of(&content, prefix))
    }

    fn of(content: &str, prefix: String) -> Self {
        let lines: Vec<String> = content.lines().map(str::to_owned).collect();
        Self {
            lines: Origin::Whole(lines.into_iter()),
            prefix,
            number: 0,
        }
    }

    /// How many messages there will be, where it is known.
    pub fn len(&self) -> Option<u64> {
        match &self.lines {
            Origin::Whole(lines) => Some(
                lines
                    .as_slice()
                    .iter()
                    .filter(|line| !line.trim().is_empty())
                    .count() as u64,
            ),
            Origin::Live(_) => None,
        }
    }

    /// The next line that is not empty.
    pub async fn next(&mut self) -> Result<Option<Line>, Failure> {
        loop {
            let text = match &mut self.lines {
                Origin::Whole(lines) => lines.next(),
                Origin::Live(lines) => lines
                    .next_line()
                    .await
                    .map_err(|error| unreadable(STDIN, &error))?,
            };
            let Some(text) = text else { return Ok(None) };
            self.number += 1;
            if !text.trim().is_empty() {
                let key = format!(
                    "{}:{}:{}",
                    self.prefix,
                    self.number,
                    digest(text.as_bytes())
                );
                return Ok(Some(Line {
                    number: self.number,
                    text,
                    key,
                }));
            }
        }
    }
}

/// Reads a file, or stdin, whole.
pub(crate) fn read(source: &str) -> Result<String, Failure> {
    if source == STDIN {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        read.map(|_| text)
            .map_err(|error| unreadable(source, &error))
    } else {
        std::fs::read_to_string(source).map_err(|error| unreadable(source, &error))
    }
}

fn unreadable(source: &str, error: &std::io::Error) -> Failure {
    let name = if source == STDIN { "stdin" } else { source };
    let (exit, code) = match error.kind() {
        std::io::ErrorKind::NotFound => (Exit::Missing, "file.not_found"),
        std::io::ErrorKind::InvalidData => (Exit::Usage, "file.not_text"),
        _ => (Exit::Failed, "file.unreadable"),
    };
    Failure::new(exit, code, format!("cannot read {name}: {error}"))
        .hint("name a file of UTF-8 text, or - for stdin")
}

/// What the keys of a content begin with: the same lines for somebody else are other messages.
fn prefix(to: &str, content: &str) -> String {
    digest(format!("{to}\n{content}").as_bytes())
}

/// The first 16 hex digits of the SHA-256. A server compares the content as well, so a collision
/// could be refused but never mistaken.
fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(mut source: LineSource) -> Vec<Line> {
        let mut lines = Vec::new();
        while let Some(line) = source.next().await.expect("in memory") {
            lines.push(line);
        }
        lines
    }

    #[tokio::test]
    async fn empty_lines_count_but_are_not_sent() {
        let source = LineSource::of("a\n\n  \nb\r\n", "k".to_owned());
        assert_eq!(source.len(), Some(2));
        let lines = all(source).await;
        let found: Vec<(u64, &str)> = lines.iter().map(|l| (l.number, l.text.as_str())).collect();
        assert_eq!(found, [(1, "a"), (4, "b")]);
    }

    #[tokio::test]
    async fn keys_repeat_with_the_content_and_differ_between_lines() {
        let keys = async |to: &str, content: &str| -> Vec<String> {
            let source = LineSource::of(content, prefix(to, content));
            all(source).await.into_iter().map(|line| line.key).collect()
        };
        let first = keys("desk", "a\na\n").await;
        assert_eq!(first, keys("desk", "a\na\n").await);
        assert_ne!(first[0], first[1]);
        assert_ne!(first, keys("desk", "a\na").await);
        assert_ne!(first[0], keys("night", "a\na\n").await[0]);
        assert_eq!(first[0], "078858ac3d0a792f:1:ca978112ca1bbdca");
    }
}
