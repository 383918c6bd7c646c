//! What a model is shown of a tool call: its result, cut where it is long, and what a person
//! changed about it.

use mobkit_domain::text::{BlobRef, Text};
use mobkit_engine::unstash;
use mobkit_store::{Store, StoreError};
use serde_json::Value;

/// How much of a result that is kept as a blob a model is shown, in bytes.
pub(crate) const SHOWN_BYTES_MAX: usize = 24 * 1024;
/// How much of changed arguments a model is shown, in characters.
const ARGS_CHARS_MAX: usize = 4_000;

/// The result as a model is shown it. One that is too long for an event is cut, with its size and
/// the name under which all of it is kept; `changed` are the arguments with which the call was made
/// where a person changed them.
pub(crate) async fn shown(
    store: &dyn Store,
    result: &Text,
    changed: Option<&Value>,
) -> Result<String, StoreError> {
    let text = match result {
        Text::Inline(text) => text.to_string(),
        Text::Blob(blob) => cut(unstash(store, result).await?, blob),
    };
    Ok(match changed {
        Some(args) => format!("{}\n{text}", of_change(args)),
        None => text,
    })
}

fn cut(mut text: String, blob: &BlobRef) -> String {
    let end = text.floor_char_boundary(SHOWN_BYTES_MAX);
    if end == text.len() {
        return text;
    }
    text.truncate(end);
    text.shrink_to_fit();
    let note = format!(
        "\n[cut: these are the first {end} of {} bytes; all of it is kept as {}]",
        blob.bytes, blob.blob
    );
    text.push_str(&note);
    text
}

fn of_change(args: &Value) -> String {
    let args = Text::from(args.to_string()).excerpt(ARGS_CHARS_MAX);
    format!("[a person changed the arguments of this call; it was made with {args}]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use mobkit_engine::stash_text;
    use mobkit_store::MemoryStore;
    use serde_json::json;

    async fn shown_of(text: &str) -> String {
        let store = MemoryStore::new();
        let kept = stash_text(&store, text).await.expect("kept");
        shown(&store, &kept, None).await.expect("shown")
    }

    #[tokio::test]
    async fn a_result_that_fits_is_shown_whole() {
        for length in [0, 1, SHOWN_BYTES_MAX, SHOWN_BYTES_MAX + 1, 32 * 1024] {
            let text = "x".repeat(length);
            assert_eq!(shown_of(&text).await, text, "{length}");
        }
    }

    #[tokio::test]
    async fn a_long_result_is_cut_at_a_character_and_says_how_long_it_is() {
        for (text, kept) in [
            ("x".repeat(32 * 1024 + 1), SHOWN_BYTES_MAX),
            // Three bytes each: the limit lies inside of one.
            (format!("a{}", "☂".repeat(20_000)), SHOWN_BYTES_MAX - 2),
            ("x".repeat(5_000_000), SHOWN_BYTES_MAX),
        ] {
            let shown = shown_of(&text).await;
            let (start, note) = shown.split_once("\n[cut: ").expect("a note");
            assert_eq!(start, &text[..kept]);
            let size = format!("first {kept} of {} bytes", text.len());
            assert!(note.contains(&size) && note.contains("sha256:"), "{note}");
            assert!(!note.contains('\n'), "{note}");
        }
    }

    #[tokio::test]
    async fn changed_arguments_are_said_on_one_line_before_the_result() {
        let store = MemoryStore::new();
        let args = json!({"to": "bob", "text": "a\nb"});
        let shown = shown(&store, &"sent".into(), Some(&args))
            .await
            .expect("shown");
        let (line, result) = shown.split_once('\n').expect("two lines");
        assert!(line.contains(&args.to_string()), "{line}");
        assert_eq!(result, "sent");
    }
}
