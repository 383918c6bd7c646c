//! One line of what somebody else wrote.

use mobkit_domain::text::Text;

const CHARS_MAX: usize = 300;

/// `text` on one line and not too long.
pub(super) fn excerpt(text: &str) -> String {
    // The rest is never looked at, however long it is.
    let start: String = text.chars().take(4 * CHARS_MAX).collect();
    let line = start.split_whitespace().collect::<Vec<_>>().join(" ");
    Text::from(line).excerpt(CHARS_MAX)
}
