//! What a person or a pipe says, line by line.

use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Tone};
use std::io::Write;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};

/// A message has at most so many bytes; a line that is longer is refused.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// The lines of the input.
pub(super) struct Input {
    /// `None`: a person types, and other questions are asked in between.
    lines: Option<Lines<BufReader<Stdin>>>,
}

impl Input {
    /// Looks at what stdin is.
    pub fn new(output: &Output) -> Self {
        let piped = !output.may_ask();
        Self {
            lines: piped.then(|| BufReader::new(tokio::io::stdin()).lines()),
        }
    }

    /// Whether a person types.
    pub fn is_typed(&self) -> bool {
        self.lines.is_none()
    }

    /// The next line that says something; `None` at the end.
    pub async fn next(&mut self, output: &Output) -> Result<Option<String>, Failure> {
        let Some(lines) = &mut self.lines else {
            return Ok(typed(output).await);
        };
        loop {
            let line = lines.next_line().await.map_err(|error| {
                let message = format!("stdin can't be read: {error}");
                Failure::new(Exit::Failed, "file.unreadable", message)
            })?;
            match line {
                Some(line) if line.len() > LINE_BYTES_MAX => {
                    let message = format!("a line has more than {LINE_BYTES_MAX} bytes");
                    return Err(Failure::new(Exit::Usage, "line.too_long", message)
                        .hint("send it with `mobkit send --file`"));
                }
                Some(line) if line.trim().is_empty() => {}
                line => return Ok(line),
            }
        }
    }
}

/// A line of a person; the prompt comes again until it says something.
async fn typed(output: &Output) -> Option<String> {
    let prompt = output.paint_notice(Tone::Strong, "you>");
    loop {
        match output.ask(&prompt).await {
            None => {
                let _ = std::io::stderr().flush();
                return None;
            }
            Some(line) if line.is_empty() => {}
            said => return said,
        }
    }
}
