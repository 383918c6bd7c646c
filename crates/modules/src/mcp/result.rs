//! What the model is told of a result.

use mobkit_domain::canonical::canonical_json;
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use serde_json::Value;

/// Most of a result that the model is given, in bytes.
pub(super) const RESULT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Stands for a part that this library does not know.
const UNKNOWN: &str = "[a part of a kind that is not known]";

/// The text of a result: its structured content as JSON, then what its parts say besides.
pub(super) fn text(result: &CallToolResult) -> String {
    let mut lines: Vec<String> = Vec::new();
    let structured = result.structured_content.as_ref();
    let same = structured.is_some_and(|value| says_the_same(value, &result.content));
    if let Some(value) = structured {
        lines.push(value.to_string());
    }
    for part in &result.content {
        match part {
            ContentBlock::Text(text) if !same => lines.push(text.text.clone()),
            ContentBlock::Text(_) => {}
            other => lines.push(described(other)),
        }
    }
    cut(lines.join("\n"))
}

/// Whether the texts among the parts are the structured content once more, as the protocol asks
/// servers to send it for the sake of older clients.
fn says_the_same(structured: &Value, parts: &[ContentBlock]) -> bool {
    let texts: Vec<&str> = parts
        .iter()
        .filter_map(|part| part.as_text())
        .map(|text| text.text.as_str())
        .collect();
    // A value that is no object comes wrapped in one, e.g. {"result": …}.
    let inner = match structured {
        Value::Object(map) if map.len() == 1 => map.values().next(),
        _ => None,
    };
    let is = |value: &Value, text: &str| match value {
        Value::String(value) => value == text,
        _ => serde_json::from_str::<Value>(text)
            .is_ok_and(|read| canonical_json(&read) == canonical_json(value)),
    };
    let one = |value: &Value| matches!(texts.as_slice(), [text] if is(value, text));
    let each = |value: &Value| match value {
        Value::Array(items) => {
            items.len() == texts.len()
                && items.iter().zip(&texts).all(|(item, text)| is(item, text))
        }
        _ => false,
    };
    texts.is_empty()
        || [Some(structured), inner]
            .into_iter()
            .flatten()
            .any(|value| one(value) || each(value))
}

/// A part that is no text, in one line. The text of a resource follows its line: it is what the
/// call was made for.
fn described(part: &ContentBlock) -> String {
    match part {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => {
            let bytes = decoded_len(&image.data);
            format!("[image {}, {bytes} bytes]", image.mime_type)
        }
        ContentBlock::Audio(audio) => {
            let bytes = decoded_len(&audio.data);
            format!("[audio {}, {bytes} bytes]", audio.mime_type)
        }
        ContentBlock::Resource(resource) => match &resource.resource {
            ResourceContents::TextResourceContents {
                uri,
                mime_type,
                text,
                ..
            } => {
                let bytes = text.len();
                format!("{}\n{text}", embedded(uri, mime_type.as_deref(), bytes))
            }
            ResourceContents::BlobResourceContents {
                uri,
                mime_type,
                blob,
                ..
            } => embedded(uri, mime_type.as_deref(), decoded_len(blob)),
            // The type is open.
            _ => UNKNOWN.to_owned(),
        },
        ContentBlock::ResourceLink(link) => format!("[resource {} ({})]", link.uri, link.name),
        // So is this one.
        _ => UNKNOWN.to_owned(),
    }
}

fn embedded(uri: &str, mime_type: Option<&str>, bytes: usize) -> String {
    let mime_type = mime_type.map_or_else(String::new, |mime_type| format!(", {mime_type}"));
    format!("[resource {uri}{mime_type}, {bytes} bytes]")
}

/// How many bytes stand in base64.
fn decoded_len(base64: &str) -> usize {
    base64.trim_end_matches('=').len() * 3 / 4
}

/// Cuts a text that is too long, and says so.
pub(super) fn cut(mut text: String) -> String {
    let bytes = text.len();
    if bytes > RESULT_BYTES_MAX {
        let note = format!("\n[cut: this is the start of {bytes} bytes; the rest was dropped]");
        text.truncate(text.floor_char_boundary(RESULT_BYTES_MAX));
        text.push_str(&note);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(result: Value) -> String {
        let result: CallToolResult = serde_json::from_value(result).expect("a result");
        text(&result)
    }

    fn parts(texts: &[&str]) -> Value {
        texts
            .iter()
            .map(|text| json!({ "type": "text", "text": text }))
            .collect()
    }

    #[test]
    fn structured_content_stands_for_the_texts_that_repeat_it() {
        for (structured, texts) in [
            (
                json!({ "b": 1, "a": [2] }),
                vec!["{\n  \"a\": [2],\n  \"b\": 1\n}"],
            ),
            (json!({ "result": "hello" }), vec!["hello"]),
            (json!({ "result": 3 }), vec!["3"]),
            (
                json!({ "result": ["a", { "b": 1 }] }),
                vec!["a", "{\"b\": 1}"],
            ),
            (json!({ "a": 1 }), vec![]),
        ] {
            let result = json!({ "content": parts(&texts), "structuredContent": structured });
            assert_eq!(told(result), structured.to_string(), "{texts:?}");
        }
    }

    #[test]
    fn texts_that_say_more_follow_the_structured_content() {
        let result = json!({
            "content": parts(&["Sunny.", "Take a hat."]),
            "structuredContent": { "degrees": 30 },
        });
        assert_eq!(told(result), "{\"degrees\":30}\nSunny.\nTake a hat.");
    }

    #[test]
    fn what_is_no_text_is_described() {
        let result = json!({ "content": [
            { "type": "text", "text": "Here:" },
            { "type": "image", "mimeType": "image/png", "data": "AAAAAA==" },
            { "type": "audio", "mimeType": "audio/wav", "data": "AAAA" },
            { "type": "resource_link", "uri": "file:///a.txt", "name": "a" },
            { "type": "resource", "resource": { "uri": "x://b", "blob": "AAA=" } },
            { "type": "resource",
              "resource": { "uri": "x://c", "mimeType": "text/plain", "text": "see" } },
        ] });
        assert_eq!(
            told(result),
            "Here:\n[image image/png, 4 bytes]\n[audio audio/wav, 3 bytes]\n\
             [resource file:///a.txt (a)]\n[resource x://b, 2 bytes]\n\
             [resource x://c, text/plain, 3 bytes]\nsee"
        );
    }

    #[test]
    fn a_long_result_is_cut_between_characters_and_says_its_size() {
        let long = "é".repeat(RESULT_BYTES_MAX / 2 + 10);
        let told = cut(format!("a{long}"));
        let true_size = format!("the start of {} bytes", long.len() + 1);
        assert!(told.contains(&true_size), "{}", &told[told.len() - 100..]);
        assert!(told.len() < RESULT_BYTES_MAX + 100);
        let whole = "a".repeat(RESULT_BYTES_MAX);
        assert_eq!(cut(whole.clone()), whole);
    }
}
