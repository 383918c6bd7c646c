//! Showing text while it is being written. What was recorded at the end wins.

use crate::failure::Failure;
use crate::terminal::Output;
use serde_json::{Value, json};

/// What has been shown of one turn.
pub(crate) struct Speech<'a> {
    output: &'a Output,
    /// Which model call the shown text belongs to: step and attempt.
    part: Option<(u64, u64)>,
    /// What was shown of that part.
    shown: String,
    /// Whether the line that was written last has not ended.
    is_open: bool,
}

/// What is left to print at the end.
#[derive(Debug, PartialEq, Eq)]
enum Rest<'a> {
    /// What follows what was shown.
    After(&'a str),
    /// Everything: pieces of what was shown are missing.
    Everything,
}

impl<'a> Speech<'a> {
    pub fn new(output: &'a Output) -> Self {
        Self {
            output,
            part: None,
            shown: String::new(),
            is_open: false,
        }
    }

    /// Shows a piece.
    pub fn say(&mut self, delta: &Value) -> Result<(), Failure> {
        if self.output.is_json() {
            return self.output.frame(&json!({"delta": delta}));
        }
        // What a model thinks on the way is no part of its answer.
        let is_answer = delta["kind"] != "reasoning";
        let Some(text) = delta["text"].as_str().filter(|_| is_answer) else {
            return Ok(());
        };
        let number = |name: &str| delta[name].as_u64().unwrap_or(0);
        let part = (number("step"), number("attempt"));
        if self.part.replace(part) != Some(part) {
            self.end_line()?;
            self.shown.clear();
        }
        self.shown.push_str(text);
        self.is_open = !text.ends_with('\n');
        self.output.write(&self.output.foreign(text))
    }

    /// Prints what is missing of the recorded answer, and the end of the line.
    pub fn finish(&mut self, answer: &str) -> Result<(), Failure> {
        let is_open = std::mem::take(&mut self.is_open);
        match rest(&self.shown, answer) {
            // The line was ended in between, and everything has been shown.
            Rest::After("") if !is_open && !self.shown.is_empty() => Ok(()),
            Rest::After(rest) => self.output.line(&self.output.foreign(rest)),
            Rest::Everything => {
                self.is_open = is_open;
                self.end_line()?;
                self.output
                    .notice("pieces of the text were lost on the way; this is all of it:");
                self.output.line(&self.output.foreign(answer))
            }
        }
    }

    /// Ends the line that was begun, where the turn has no answer.
    pub fn end_line(&mut self) -> Result<(), Failure> {
        if std::mem::take(&mut self.is_open) {
            return self.output.write("\n");
        }
        Ok(())
    }
}

fn rest<'a>(shown: &str, answer: &'a str) -> Rest<'a> {
    answer
        .strip_prefix(shown)
        .map_or(Rest::Everything, Rest::After)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_wins() {
        for (shown, answer, expected) in [
            ("", "hello", Rest::After("hello")),
            ("hel", "hello", Rest::After("lo")),
            ("hello", "hello", Rest::After("")),
            ("helo", "hello", Rest::Everything),
            ("hello!", "hello", Rest::Everything),
        ] {
            assert_eq!(rest(shown, answer), expected, "{shown:?} {answer:?}");
        }
    }
}
