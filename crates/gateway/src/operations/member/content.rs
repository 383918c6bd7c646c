//! What a message says, as callers give it.

use crate::context::store_refusal;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::text::{Content, INLINE_BYTES_MAX, Part};
use mobkit_engine::{Engine, stash_text};
use serde_json::{Value, json};

/// Most parts of a message.
const PARTS_MAX: usize = 256;

/// Reads a text or a list of parts. Long texts go to the blob store; a message that is refused
/// afterwards leaves at most a blob that nobody names.
pub(super) async fn read(engine: &Engine, content: Value) -> Result<Content, Refusal> {
    let parts = match content {
        Value::String(text) => {
            return Ok(Content {
                text: stash(engine, &not_empty(text)?).await?,
                parts: Vec::new(),
            });
        }
        Value::Array(parts) => parts,
        _ => return Err(malformed("it is neither a text nor a list of parts")),
    };
    if parts.len() > PARTS_MAX {
        return Err(malformed(&format!(
            "a message has at most {PARTS_MAX} parts"
        )));
    }
    let (mut whole, mut kept) = (
        Vec::with_capacity(parts.len()),
        Vec::with_capacity(parts.len()),
    );
    for part in parts {
        let (text, part) = read_part(engine, part).await?;
        whole.push(text);
        kept.push(part);
    }
    let text = not_empty(whole.join("\n"))?;
    Ok(Content {
        text: stash(engine, &text).await?,
        parts: kept,
    })
}

/// The part as text, and the part as it is kept.
async fn read_part(engine: &Engine, part: Value) -> Result<(String, Part), Refusal> {
    let Value::Object(mut fields) = part else {
        return Err(malformed("a part is an object with a `type`"));
    };
    let kind = fields.remove("type");
    let kind = kind.as_ref().and_then(Value::as_str).unwrap_or_default();
    let field = match kind {
        "text" | "data" => kind,
        "image" | "file" => {
            let message = format!("parts of type {kind:?} are not taken by this version");
            return Err(Refusal::new(RefusalKind::Invalid, "message.part_unsupported", message)
                .hint("send text and data parts; put a file where a tool of the agent can read it")
                .data(json!({ "field": "content" })));
        }
        _ => return Err(malformed("a part has the type \"text\" or \"data\"")),
    };
    let value = fields.remove(field);
    if let Some(other) = fields.keys().next() {
        return Err(malformed(&format!("a {field} part has no field {other:?}")));
    }
    match (field, value) {
        ("text", Some(Value::String(text))) => {
            let kept = Part::Text {
                text: stash(engine, &text).await?,
            };
            Ok((text, kept))
        }
        ("data", Some(data)) => {
            let text = data.to_string();
            // As text or by reference: an event holds no long payload.
            let data = if text.len() > INLINE_BYTES_MAX {
                json!(stash(engine, &text).await?)
            } else {
                data
            };
            Ok((text, Part::Data { data }))
        }
        _ => Err(malformed(&format!("a {field} part has a field `{field}`"))),
    }
}

async fn stash(engine: &Engine, text: &str) -> Result<mobkit_domain::text::Text, Refusal> {
    stash_text(engine.store().as_ref(), text)
        .await
        .map_err(|error| store_refusal(&error))
}

fn not_empty(text: String) -> Result<String, Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new(
            RefusalKind::Invalid,
            "message.empty",
            "the message is empty",
        )
        .hint("say what the member is to do")
        .data(json!({ "field": "content" })));
    }
    Ok(text)
}

fn malformed(why: &str) -> Refusal {
    let message = format!("`content` can't be read: {why}");
    Refusal::new(RefusalKind::Invalid, "message.content_malformed", message)
        .hint("write a text, or [{\"type\": \"text\", \"text\": \"…\"}, {\"type\": \"data\", \"data\": …}]")
        .data(json!({ "field": "content" }))
}
