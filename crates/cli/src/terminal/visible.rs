//! Text that others wrote, such that what a person sees is what is there: for decisions.
//!
//! What a terminal would obey, what has no width and what changes the order of letters is written
//! as an escape, wherever the text goes: a pager or a log shows it to a terminal later.

use serde_json::Value;
use std::fmt::Write as _;

/// The text with line ends and tabs as they are.
pub(crate) fn visible(text: &str) -> String {
    escape(text, |c| c != '\n' && c != '\t')
}

/// The text on one line.
pub(crate) fn visible_line(text: &str) -> String {
    escape(text, |_| true)
}

/// The whole document over several lines. It stays JSON, and the same document.
pub(crate) fn visible_json(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).expect("documents have string keys only");
    // Line ends are between the parts: those inside of texts are escapes already.
    escape(&text, |c| c != '\n')
}

/// The same on one line.
pub(crate) fn visible_json_line(value: &Value) -> String {
    escape(&value.to_string(), |_| true)
}

fn escape(text: &str, wanted: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) && wanted(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(shown, "\\u{unit:04x}").expect("writing to a string cannot fail");
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Whether a reader would not see the character, or would see others wrongly because of it.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_is_hidden_and_nothing_is_obeyed() {
        for (text, shown) in [
            ("plain é 日本 \u{1f600}", "plain é 日本 \u{1f600}"),
            ("a\u{1b}[2Jb\r", "a\\u001b[2Jb\\u000d"),
            ("\u{9b}31m \u{7f}", "\\u009b31m \\u007f"),
            ("to \u{202e}moc.live\u{202c}", "to \\u202emoc.live\\u202c"),
            ("pay\u{200b}pal", "pay\\u200bpal"),
            ("\u{e0041}", "\\udb40\\udc41"),
            ("two\n\tlines", "two\n\tlines"),
        ] {
            assert_eq!(visible(text), shown, "{text:?}");
        }
        assert_eq!(visible_line("two\n\tlines"), "two\\u000a\\u0009lines");
    }

    #[test]
    fn a_document_stays_the_same_document() {
        let document = json!({
            "to\u{202e}": "a\u{1b}[1Ab\nc\u{7f}\u{9b}", "deep": [{"\u{e0041}": 1.5}, null, "\\u202e"],
        });
        for shown in [visible_json(&document), visible_json_line(&document)] {
            assert!(shown.chars().all(|c| !is_hidden(c) || c == '\n'), "{shown}");
            assert_eq!(
                serde_json::from_str::<Value>(&shown).ok(),
                Some(document.clone())
            );
        }
        assert!(!visible_json_line(&document).contains('\n'));
    }
}
