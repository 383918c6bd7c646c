//! What is wrong in a mob file, and where.

use super::snippet;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::ops::Range;

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but probably does not say what was meant.
    Warning,
}

impl Severity {
    /// The word that people and programs see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One finding in a mob file.
///
/// No field holds the value of a secret that was written where a reference belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// Stable code, `definition.<reason>`; see [`super::CODES`].
    pub code: String,
    /// One line: what is wrong.
    pub message: String,
    /// Name of the file, as it was given to [`super::parse`].
    pub file: String,
    /// Line of the first offending character, from 1.
    pub line: u32,
    /// Column of the first offending character, from 1, counted in characters.
    pub column: u32,
    /// The offending key or value, in bytes of the file.
    pub span: Range<usize>,
    /// A few words to stand beside the caret; may be empty.
    pub label: String,
    /// The next step, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Diagnostic {
    /// Renders for a terminal: message, place, the line of `source` with a caret under the
    /// offending part, and the hint. Plain text of whole lines, without colour. Tabs take four
    /// columns, wide characters two; control characters are replaced, and what looks like a literal
    /// secret is masked.
    pub fn render(&self, source: &str) -> String {
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        let snippet = snippet::cut(source, &self.span);
        let label = if self.label.is_empty() {
            String::new()
        } else {
            format!(" {}", self.label)
        };
        let mut out = String::new();
        let mut line = |text: String| {
            writeln!(out, "{}", text.trim_end()).expect("writing to a string cannot fail");
        };
        line(format!(
            "{}[{}]: {}",
            self.severity.as_str(),
            self.code,
            self.message
        ));
        line(format!(
            "{gutter}--> {}:{}:{}",
            self.file, self.line, self.column
        ));
        line(format!("{gutter} |"));
        line(format!("{number} | {}", snippet.text));
        line(format!(
            "{gutter} | {}{}{label}",
            " ".repeat(snippet.indent),
            "^".repeat(snippet.len)
        ));
        if let Some(hint) = &self.hint {
            line(format!("{gutter} = hint: {hint}"));
        }
        out
    }
}
