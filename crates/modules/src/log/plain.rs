//! Lines as they are recorded: plain text without secrets.

use crate::redaction::Redaction;

/// How much of a line is recorded, in bytes.
pub(super) const LINE_BYTES_MAX: usize = 4 * 1024;

/// A line as it is recorded. `is_whole` is false where only its beginning came.
pub(crate) fn plain_line(redaction: &Redaction, line: &[u8], is_whole: bool) -> String {
    // Escape sequences first: one in the middle would hide a secret.
    let mut text = redaction.text(plain(&String::from_utf8_lossy(line)));
    if !is_whole {
        // What was not kept may be the end of a secret that begins here.
        let end = text.len().saturating_sub(redaction.len_max());
        text.truncate(text.floor_char_boundary(end));
    }
    cut(text, is_whole)
}

/// Text without escape sequences and control characters, which a terminal would obey. A tab stays.
fn plain(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => skip_escape(&mut chars),
            '\u{9b}' => skip_control_sequence(&mut chars),
            '\t' => clean.push(c),
            c if c.is_control() => {}
            c => clean.push(c),
        }
    }
    clean
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// What follows an ESC, to the end of the sequence.
fn skip_escape(chars: &mut Chars<'_>) {
    match chars.next() {
        Some('[') => skip_control_sequence(chars),
        // A string, e.g. the title of a window: to BEL, or to ESC and a backslash.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = chars.next() {
                if c == '\x07' || c == '\x1b' && chars.next_if_eq(&'\\').is_some() {
                    break;
                }
            }
        }
        // Intermediate characters, then one that ends it.
        Some(' '..='/') => {
            while chars.next_if(|c| (' '..='/').contains(c)).is_some() {}
            chars.next();
        }
        _ => {}
    }
}

/// Parameters, to the letter that ends them.
fn skip_control_sequence(chars: &mut Chars<'_>) {
    while chars.next_if(|c| (' '..='?').contains(c)).is_some() {}
    chars.next_if(|c| ('@'..='~').contains(c));
}

/// Cuts a line at [`LINE_BYTES_MAX`], at a whole character, and says so.
fn cut(mut line: String, is_whole: bool) -> String {
    if line.len() > LINE_BYTES_MAX || !is_whole {
        line.truncate(line.floor_char_boundary(LINE_BYTES_MAX));
        line.push_str(" […]");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_left_out() {
        let table = [
            ("\x1b[1;31merror\x1b[0m: no", "error: no"),
            ("\x1b]0;title\x07text", "text"),
            ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("\x1b(Bplain\x1b7 and\x1b8 more", "plain and more"),
            ("a\u{9b}31mb", "ab"),
            ("tab\there\r", "tab\there"),
            ("bell\x07 null\0 back\x08", "bell null back"),
            ("ends in \x1b[31", "ends in "),
            ("ends in \x1b", "ends in "),
            ("\x1b[31\u{e9}t\u{e9}", "\u{e9}t\u{e9}"),
        ];
        for (given, wanted) in table {
            assert_eq!(plain(given), wanted, "{given:?}");
        }
    }

    #[test]
    fn a_secret_at_the_end_of_what_was_kept_is_not_shown_in_part() {
        let redaction = Redaction::of(["0123456789".to_owned()]);
        let shown = plain_line(&redaction, b"0123456789 key 01234567", false);
        assert_eq!(shown, "[secret] ke […]");
        let colored = plain_line(&redaction, b"key 01234\x1b[1m56789", true);
        assert_eq!(colored, "key [secret]");
    }

    #[test]
    fn long_lines_are_cut_at_a_character() {
        let line = "é".repeat(LINE_BYTES_MAX);
        let cut = cut(line, true);
        assert!(cut.len() <= LINE_BYTES_MAX + " […]".len());
        assert!(cut.ends_with("é […]"));
    }
}
