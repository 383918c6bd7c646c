//! What a message says, as callers give it.

use super::part::{Given, malformed};
use crate::context::store_refusal;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::text::{Content, Text};
use mobkit_engine::{Engine, stash_text};
use serde_json::{Value, json};

/// Most parts of a message.
const PARTS_MAX: usize = 256;
/// The largest body of a request with a message, in bytes: two parts of the greatest size, as
/// base64, and some text.
pub(super) const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Reads a text or a list of parts. Nothing is kept before all of it was found to be good. Long
/// texts and files go to the blob store; a message that is refused afterwards, for what its
/// receiver is or does, leaves at most blobs that nobody names.
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
    let given = parts.into_iter().map(Given::read);
    let given: Vec<Given> = given.collect::<Result<_, _>>()?;
    let texts: Vec<String> = given.iter().map(Given::text).collect();
    let text = not_empty(texts.join("\n"))?;
    let mut kept = Vec::with_capacity(given.len());
    for part in given {
        kept.push(part.keep(engine).await?);
    }
    Ok(Content {
        text: stash(engine, &text).await?,
        parts: kept,
    })
}

pub(super) async fn stash(engine: &Engine, text: &str) -> Result<Text, Refusal> {
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
