//! What a member heard before an answer, and whether it is the same again.

use crate::model::seam::Item;
use crate::native::{NO_RESULT, UNKNOWN};
use mobkit_domain::text::Text;
use regex::Regex;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Most characters of a text that a failure shows.
const SHOWN_CHARS_MAX: usize = 120;

/// Positions of the journal and times differ from run to run, and say nothing.
static PASSING: LazyLock<Regex> = LazyLock::new(|| {
    let ids = r"\b(?:apr|call|dlv|grant|msg|ses|turn)-\d+(?:-\d+)?\b";
    let times = r"\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?";
    Regex::new(&format!("{ids}|{times}")).expect("the pattern is a constant and valid")
});

/// One thing that a member was told.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Heard {
    /// A message; `None`: the recording begins after it was accepted.
    Message(Option<Text>),
    /// What came of a call.
    Result {
        tool: String,
        failed: bool,
        text: Text,
    },
}

/// Where `items`, the session up to now, end otherwise than the recording says: one sentence.
pub(super) fn difference(recorded: &[Heard], items: &[Item]) -> Option<String> {
    let last = items
        .iter()
        .rposition(|item| matches!(item, Item::Assistant { .. }));
    let since = last.map_or(items, |last| &items[last + 1..]);
    let mut now = since.iter().filter(|item| counts(item));
    for then in recorded {
        let Some(item) = now.next() else {
            return Some(format!("{} is missing", told(then)));
        };
        if let Some(difference) = differs(then, item) {
            return Some(difference);
        }
    }
    now.next().map(|item| {
        let (what, text) = seen(item);
        format!("{what} {:?} is more than was recorded", short(text))
    })
}

/// Whether it comes from an event; the end of a call that has none is made up by the reader.
fn counts(item: &Item) -> bool {
    match item {
        Item::User { .. } | Item::Assistant { .. } => true,
        Item::ToolResult { result, .. } => result != NO_RESULT && result != UNKNOWN,
    }
}

fn differs(then: &Heard, item: &Item) -> Option<String> {
    let (what, text) = seen(item);
    let same = match (then, item) {
        (Heard::Message(then), Item::User { .. }) => {
            then.as_ref().is_none_or(|then| is_same(then, text))
        }
        (
            Heard::Result {
                tool,
                failed,
                text: then,
            },
            Item::ToolResult {
                tool: now,
                failed: now_failed,
                ..
            },
        ) => tool == now && failed == now_failed && is_same_result(then, text),
        (Heard::Message(_) | Heard::Result { .. }, _) => false,
    };
    (!same).then(|| {
        format!(
            "{what} is {:?}, and {} was recorded",
            short(text),
            told(then)
        )
    })
}

fn is_same(then: &Text, now: &str) -> bool {
    match then {
        Text::Inline(then) => lasting(then) == lasting(now),
        // Its name is its digest.
        Text::Blob(blob) => {
            let digest = mobkit_domain::canonical::sha256_hex(now);
            blob.blob.ends_with(&digest)
        }
    }
}

/// A result that a model is shown may be cut, and is shown below what a person changed of the call.
fn is_same_result(then: &Text, now: &str) -> bool {
    match then {
        Text::Inline(inline) => {
            let below = now.split_once('\n').map(|(_, below)| below);
            is_same(then, now)
                || (now.starts_with("[a person changed")
                    && below.is_some_and(|below| lasting(below) == lasting(inline)))
        }
        Text::Blob(_) => true,
    }
}

fn lasting(text: &str) -> Cow<'_, str> {
    PASSING.replace_all(text, "#")
}

fn seen(item: &Item) -> (String, &str) {
    match item {
        Item::User { text, .. } => ("the message".to_owned(), text),
        Item::Assistant { text, .. } => ("the answer".to_owned(), text),
        Item::ToolResult { tool, result, .. } => (format!("the result of {tool}"), result),
    }
}

fn told(heard: &Heard) -> String {
    match heard {
        Heard::Message(None) => "a message".to_owned(),
        Heard::Message(Some(text)) => format!("the message {:?}", text.excerpt(SHOWN_CHARS_MAX)),
        Heard::Result { tool, failed, text } => {
            let how = if *failed { "failed" } else { "gave" };
            let text = text.excerpt(SHOWN_CHARS_MAX);
            format!("a call of {tool} that {how} {text:?}")
        }
    }
}

fn short(text: &str) -> String {
    Text::from(text).excerpt(SHOWN_CHARS_MAX)
}
