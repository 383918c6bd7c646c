//! Figures on their way to the table.

use std::fmt;

/// Said of a figure that can't be: it contains another and is smaller. The run says nothing then.
pub const DISTURBED: &str = "disturbed";

/// Whether a target was reached.
pub fn word(reached: bool) -> &'static str {
    if reached { "yes" } else { "**no**" }
}

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Row {
    cells: [String; 4],
}

impl Row {
    /// A figure without a target.
    pub fn figure(what: impl Into<String>, measured: impl Into<String>) -> Self {
        Self {
            cells: [what.into(), measured.into(), String::new(), String::new()],
        }
    }

    /// A figure with its target.
    pub fn target(
        what: impl Into<String>,
        measured: impl Into<String>,
        target: &str,
        reached: bool,
    ) -> Self {
        let reached = word(reached);
        Self {
            cells: [
                what.into(),
                measured.into(),
                target.to_owned(),
                reached.to_owned(),
            ],
        }
    }

    /// A figure with its target, and a verdict in words.
    pub fn judged(
        what: impl Into<String>,
        measured: impl Into<String>,
        target: &str,
        verdict: impl Into<String>,
    ) -> Self {
        Self {
            cells: [
                what.into(),
                measured.into(),
                target.to_owned(),
                verdict.into(),
            ],
        }
    }

    /// Reads what [`Row`]'s `Display` wrote, line by line.
    pub fn parse_all(text: &str) -> Vec<Self> {
        let row = |line: &str| {
            let cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
            cells.try_into().ok().map(|cells| Self { cells })
        };
        text.lines().filter_map(row).collect()
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cells.join("\t"))
    }
}

/// The rows as a Markdown table.
pub fn table(rows: &[Row]) -> String {
    let head = ["what", "measured", "target", "reached"].map(str::to_owned);
    let all = || std::iter::once(&head).chain(rows.iter().map(|row| &row.cells));
    let width = |at: usize| {
        all()
            .map(|cells| cells[at].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths = [0, 1, 2, 3].map(width);
    let line = |cells: &[String; 4]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.chars().count())))
            .collect();
        format!("| {} |\n", padded.join(" | "))
    };
    let rule = widths.map(|width| "-".repeat(width));
    let mut text = line(&head) + &line(&rule);
    for row in rows {
        text.push_str(&line(&row.cells));
    }
    text
}
