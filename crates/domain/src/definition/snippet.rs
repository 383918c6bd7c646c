//! The line of a file that a diagnostic shows, laid out in terminal columns.

use super::secret::is_env_name;
use super::suggest;
use std::ops::Range;

/// Widest line that is shown whole; longer ones are cut around the caret.
const WIDTH_MAX: usize = 120;
/// Columns kept before the caret of a line that is cut.
const LEAD_MAX: usize = 48;
const TAB_WIDTH: usize = 4;

/// One line ready to print, and the place of the caret in it.
pub(super) struct Snippet {
    /// The line, without control characters.
    pub text: String,
    /// Columns before the caret.
    pub indent: usize,
    /// Columns under which carets stand, at least 1.
    pub len: usize,
}

/// The byte range of the line that holds `at`, without its line ending.
pub(super) fn line_of(source: &str, at: usize) -> Range<usize> {
    let at = source.floor_char_boundary(at.min(source.len()));
    let start = source[..at].rfind('\n').map_or(0, |i| i + 1);
    let end = source[at..].find('\n').map_or(source.len(), |i| at + i);
    let end = if source[start..end].ends_with('\r') {
        end - 1
    } else {
        end
    };
    start..end.max(start)
}

/// The line that holds `at`, from 1.
pub(super) fn line_number(source: &str, at: usize) -> usize {
    let at = source.floor_char_boundary(at.min(source.len()));
    source[..at].matches('\n').count() + 1
}

/// Cuts the first line of `span` out of `source`.
pub(super) fn cut(source: &str, span: &Range<usize>) -> Snippet {
    let line = line_of(source, span.start);
    let masked = masked_ranges(&source[line.clone()]);
    let mut cells: Vec<(String, usize)> = Vec::new();
    let (mut indent, mut len, mut width) = (0, 0, 0);
    for (offset, c) in source[line.clone()].char_indices() {
        let at = line.start + offset;
        let cell = if masked.iter().any(|range| range.contains(&offset)) {
            ("*".to_owned(), 1)
        } else {
            cell(c)
        };
        if at < span.start && at + c.len_utf8() <= span.start {
            indent += cell.1;
        } else if at < span.end {
            len += cell.1;
        }
        width += cell.1;
        cells.push(cell);
    }
    let mut text = String::new();
    let mut column = 0;
    let from = if width > WIDTH_MAX {
        indent.saturating_sub(LEAD_MAX)
    } else {
        0
    };
    for (cell, cell_width) in cells {
        if column >= from && column - from + cell_width <= WIDTH_MAX {
            text.push_str(&cell);
        }
        column += cell_width;
    }
    // A wide character may straddle the cut, so the caret is placed by what was really left out.
    let indent = if from == 0 { indent } else { indent - from };
    Snippet {
        text,
        indent,
        len: len.clamp(1, WIDTH_MAX.saturating_sub(indent).max(1)),
    }
}

fn cell(c: char) -> (String, usize) {
    match c {
        '\t' => (" ".repeat(TAB_WIDTH), TAB_WIDTH),
        c if c.is_control() => ("\u{fffd}".to_owned(), 1),
        // Marks that reverse the direction of text could make a line read as something else.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => ("\u{fffd}".to_owned(), 1),
        c => (c.to_string(), char_width(c)),
    }
}

/// Columns that a terminal gives to a character: the blocks of combining marks and joiners take
/// none, those of East Asian wide letters and of pictographs two (Unicode UAX #11, in outline).
fn char_width(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036F | 0x200B..=0x200F | 0x20D0..=0x20FF | 0xFE00..=0xFE0F | 0xFEFF => 0,
        0x1100..=0x115F
        | 0x2E80..=0x303E
        | 0x3041..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1F64F
        | 0x1F680..=0x1F6FF
        | 0x1F900..=0x1F9FF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

/// Byte ranges of what must not be shown: values of keys whose names say that they are secrets.
fn masked_ranges(line: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut from = 0;
    while let Some(equals) = line[from..].find('=').map(|i| from + i) {
        from = equals + 1;
        let value = line[from..].trim_start();
        let start = line.len() - value.len();
        let (start, end) = match value.chars().next() {
            None | Some('{' | '[' | '=') => continue,
            Some(quote @ ('"' | '\'')) => (start + 1, closing_quote(line, start + 1, quote)),
            Some(_) => {
                let len = value.find(|c: char| c.is_whitespace() || matches!(c, ',' | '}' | ']'));
                (start, len.map_or(line.len(), |len| start + len))
            }
        };
        let key = key_before(&line[..equals]);
        // A secret may have been put where the name of its variable belongs.
        let misplaced = key == "env" && !is_env_name(&line[start..end]);
        if misplaced || suggest::names_secret(key) {
            ranges.push(start..end);
            from = end;
        }
    }
    ranges.extend(url_credentials(line));
    ranges
}

/// Byte ranges of the names and passwords in URLs.
fn url_credentials(line: &str) -> impl Iterator<Item = Range<usize>> {
    line.match_indices("://").filter_map(|(i, colon)| {
        let start = i + colon.len();
        let rest = &line[start..];
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '/'));
        let at = rest[..end.unwrap_or(rest.len())].rfind('@')?;
        Some(start..start + at)
    })
}

fn key_before(text: &str) -> &str {
    let text = text.trim_end().trim_end_matches(['"', '\'']);
    let start = text.rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')));
    match start {
        Some(i) => &text[text.ceil_char_boundary(i + 1)..],
        None => text,
    }
}

/// Where the string that starts at `from` ends; the end of the line where it does not end in it.
fn closing_quote(line: &str, from: usize, quote: char) -> usize {
    if line[from..].starts_with(quote) && line[from + 1..].starts_with(quote) {
        return line.len();
    }
    let mut escaped = false;
    for (offset, c) in line[from..].char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote == '"' {
            escaped = true;
        } else if c == quote {
            return from + offset;
        }
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, part: &str, text: &str, indent: usize, len: usize) {
        let start = line.find(part).expect("the part is in the line");
        let snippet = cut(line, &(start..start + part.len()));
        assert_eq!(
            (snippet.text.as_str(), snippet.indent, snippet.len),
            (text, indent, len)
        );
    }

    #[test]
    fn the_caret_stands_under_the_part() {
        check("a = \"b\"\r\n", "\"b\"", "a = \"b\"", 4, 3);
        check("x\n\ttab = 1\ny", "tab", "    tab = 1", 4, 3);
        check("'日本' = 1", "1", "'日本' = 1", 9, 1);
        check("'e\u{301}' = 1", "1", "'e\u{301}' = 1", 6, 1);
        check("a = '\u{1b}[31m'", "a", "a = '\u{fffd}[31m'", 0, 1);
    }

    #[test]
    fn a_span_past_the_line_still_gets_one_caret() {
        let snippet = cut("a = \n", &(9..12));
        assert_eq!(
            (snippet.text.as_str(), snippet.indent, snippet.len),
            ("", 0, 1)
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let line = format!("{} = {}", "k".repeat(300), "v".repeat(300));
        let snippet = cut(&line, &(303..603));
        assert_eq!(
            (snippet.text.chars().count(), snippet.indent, snippet.len),
            (120, 48, 72)
        );
        assert_eq!(snippet.text.chars().nth(48), Some('v'));
    }

    #[test]
    fn literal_secrets_are_masked() {
        check(
            "api_key = \"sk-1\"",
            "\"sk-1\"",
            "api_key = \"****\"",
            10,
            6,
        );
        check(
            "h = { Authorization = 'x' }",
            "h",
            "h = { Authorization = '*' }",
            0,
            1,
        );
        check(
            "\"x-api-key\" = \"a\\\"b",
            "\"x",
            "\"x-api-key\" = \"****",
            0,
            2,
        );
        check(
            "api_key = { env = \"A\" }",
            "env",
            "api_key = { env = \"A\" }",
            12,
            3,
        );
        check("api_key = sk-1, b", "b", "api_key = ****, b", 16, 1);
        check("{ env = \"sk 1\" }", "env", "{ env = \"****\" }", 2, 3);
        check(
            "url = \"pg://u:p@h/x@y\"",
            "url",
            "url = \"pg://***@h/x@y\"",
            0,
            3,
        );
        check(
            "tokens = 5 # a = \"b\"",
            "5",
            "tokens = 5 # a = \"b\"",
            9,
            1,
        );
    }
}
