//! Tables without lines, as wide as their content; on a terminal, as wide as it is.

use super::{Output, Tone};
use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, presets};

/// A narrower terminal, or one that does not know its width, gets whole lines.
const WIDTH_MIN: u16 = 100;

/// Rows under a header.
pub(crate) struct Table {
    table: comfy_table::Table,
    is_colored: bool,
}

impl Table {
    /// An empty table with these column names, of which the last one holds text.
    pub fn new(output: &Output, header: &[&str]) -> Self {
        Self::with_text(output, header, header.len().saturating_sub(1))
    }

    /// An empty table with these column names; where the terminal is too narrow, the column `text`
    /// wraps.
    pub fn with_text(output: &Output, header: &[&str], text: usize) -> Self {
        let is_colored = output.is_colored();
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING);
        if is_colored {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        let header = header
            .iter()
            .map(|name| tinted(Cell::new(name), Tone::Faint, is_colored));
        table.set_header(header.collect::<Vec<_>>());
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let is_wide = table.width().is_some_and(|width| width >= WIDTH_MIN);
        if output.stdout_is_terminal() && is_wide {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            // Ids stay whole.
            for (i, column) in table.column_iter_mut().enumerate() {
                if i != text {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                }
            }
        }
        Self { table, is_colored }
    }

    /// Adds a row; the tone colours its first cell.
    pub fn row(&mut self, tone: Tone, cells: Vec<String>) {
        let is_colored = self.is_colored;
        let cells = cells.into_iter().enumerate().map(|(i, text)| {
            let cell = Cell::new(text);
            if i == 0 {
                tinted(cell, tone, is_colored)
            } else {
                cell
            }
        });
        self.table.add_row(cells.collect::<Vec<_>>());
    }

    /// The lines, without spaces at their ends.
    pub fn render(&self) -> String {
        let lines: Vec<String> = self
            .table
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        lines.join("\n")
    }
}

fn tinted(cell: Cell, tone: Tone, is_colored: bool) -> Cell {
    if !is_colored {
        return cell;
    }
    match tone {
        Tone::Plain => cell,
        Tone::Strong => cell.add_attribute(Attribute::Bold),
        Tone::Faint => cell.add_attribute(Attribute::Dim),
        Tone::Good => cell.fg(Color::Green),
        Tone::Warning => cell.fg(Color::Yellow),
        Tone::Bad => cell.fg(Color::Red),
    }
}
