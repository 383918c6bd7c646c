//! One part of a message, as callers give it.

use super::content::stash;
use crate::context::store_refusal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::text::{BlobRef, INLINE_BYTES_MAX, Part, file_line, reads_as_text};
use mobkit_engine::Engine;
use serde_json::{Map, Value, json};

/// Most bytes of an image or a file.
const PART_BYTES_MAX: usize = 5_000_000;
/// Longest name of a file, in characters.
const NAME_CHARS_MAX: usize = 255;
/// Images that every provider with images takes.
const IMAGES: &str = "image/png, image/jpeg, image/gif or image/webp";
/// Files that can be shown to a model.
const FILES: &str = "application/pdf, application/json or text/…";

/// An image or a file.
#[derive(Debug)]
pub(super) struct Attached {
    media_type: String,
    name: Option<String>,
    bytes: Bytes,
}

/// A part that was found to be good.
#[derive(Debug)]
pub(super) enum Given {
    Text(String),
    Data(Value),
    Image(Attached),
    File(Attached),
}

impl Given {
    /// Reads a part.
    pub fn read(part: Value) -> Result<Self, Refusal> {
        let Value::Object(mut fields) = part else {
            return Err(malformed("a part is an object with a `type`"));
        };
        let kind = fields.remove("type");
        let kind = kind.as_ref().and_then(Value::as_str).unwrap_or_default();
        let given = match kind {
            "text" => match fields.remove("text") {
                Some(Value::String(text)) => Self::Text(text),
                _ => return Err(malformed("a text part has a field `text`")),
            },
            "data" => match fields.remove("data") {
                Some(data) => Self::Data(data),
                None => return Err(malformed("a data part has a field `data`")),
            },
            "image" => Self::Image(attached(kind, &mut fields)?),
            "file" => Self::File(attached(kind, &mut fields)?),
            _ => {
                let why = "a part has the type \"text\", \"data\", \"image\" or \"file\"";
                return Err(malformed(why));
            }
        };
        if let Some(other) = fields.keys().next() {
            return Err(malformed(&format!("a part {kind} has no field {other:?}")));
        }
        Ok(given)
    }

    /// The part as text.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Data(data) => data.to_string(),
            Self::Image(image) => image.line("image"),
            Self::File(file) if reads_as_text(&file.media_type) => {
                let text = String::from_utf8_lossy(&file.bytes);
                format!("{}\n{text}", file.line("file"))
            }
            Self::File(file) => file.line("file"),
        }
    }

    /// Keeps the part as events hold it: what is long, and every file, by reference.
    pub async fn keep(self, engine: &Engine) -> Result<Part, Refusal> {
        Ok(match self {
            Self::Text(text) => Part::Text {
                text: stash(engine, &text).await?,
            },
            Self::Data(data) => {
                let text = data.to_string();
                let data = if text.len() > INLINE_BYTES_MAX {
                    json!(stash(engine, &text).await?)
                } else {
                    data
                };
                Part::Data { data }
            }
            Self::Image(image) => Part::Image {
                data: image.keep(engine).await?,
                media_type: image.media_type,
                name: image.name,
            },
            Self::File(file) => Part::File {
                data: file.keep(engine).await?,
                media_type: file.media_type,
                name: file.name,
            },
        })
    }
}

impl Attached {
    fn line(&self, kind: &str) -> String {
        let bytes = self.bytes.len() as u64;
        file_line(kind, self.name.as_deref(), &self.media_type, bytes)
    }

    /// The same bytes are kept once, whoever sends them.
    async fn keep(&self, engine: &Engine) -> Result<BlobRef, Refusal> {
        let kept = engine.store().blob_put(self.bytes.clone()).await;
        kept.map_err(|error| store_refusal(&error))
    }
}

fn attached(kind: &str, fields: &mut Map<String, Value>) -> Result<Attached, Refusal> {
    let media_type = match fields.remove("media_type") {
        Some(Value::String(given)) => {
            let bare = given.split(';').next().unwrap_or_default();
            bare.trim().to_ascii_lowercase()
        }
        _ => {
            return Err(malformed(&format!(
                "a part {kind} has a field `media_type`"
            )));
        }
    };
    let name = match fields.remove("name") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) if is_name(&name) => Some(name),
        Some(_) => {
            return Err(malformed(&format!(
                "`name` is a text of 1 to {NAME_CHARS_MAX} characters on one line"
            )));
        }
    };
    let Some(Value::String(data)) = fields.remove("data") else {
        let why = format!("a part {kind} has a field `data`, its bytes in base64");
        return Err(malformed(&why));
    };
    let bytes = STANDARD.decode(data.as_bytes()).map_err(|error| {
        malformed(&format!(
            "the `data` of a part {kind} is no base64: {error}"
        ))
    })?;
    let found = Attached {
        media_type,
        name,
        bytes: bytes.into(),
    };
    check(kind, &found)?;
    Ok(found)
}

fn is_name(name: &str) -> bool {
    let chars = name.chars().count();
    (1..=NAME_CHARS_MAX).contains(&chars) && !name.chars().any(char::is_control)
}

/// Whether the bytes are what they are said to be, and not too many.
fn check(kind: &str, found: &Attached) -> Result<(), Refusal> {
    let (media_type, bytes) = (found.media_type.as_str(), &*found.bytes);
    let invalid = |code, message: String| {
        Refusal::new(RefusalKind::Invalid, code, message).data(json!({ "field": "content" }))
    };
    if bytes.is_empty() || bytes.len() > PART_BYTES_MAX {
        let message = format!(
            "a part {kind} has 1 to {PART_BYTES_MAX} bytes, not {}",
            bytes.len()
        );
        return Err(invalid("message.part_size", message)
            .hint("send less, or put it where a tool of the agent can read it"));
    }
    let is_so = match (kind, media_type) {
        ("image", "image/png") => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        ("image", "image/jpeg") => bytes.starts_with(b"\xff\xd8\xff"),
        ("image", "image/gif") => bytes.starts_with(b"GIF8"),
        ("image", "image/webp") => bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
        ("file", "application/pdf") => bytes.starts_with(b"%PDF-"),
        ("file", "application/json") => serde_json::from_slice::<Value>(bytes).is_ok(),
        ("file", text) if reads_as_text(text) => std::str::from_utf8(bytes).is_ok(),
        _ => {
            let takes = if kind == "image" { IMAGES } else { FILES };
            let message = format!("a part {kind} can't be {media_type:?}");
            return Err(invalid("message.media_unsupported", message)
                .hint(format!("`media_type` is {takes}")));
        }
    };
    if is_so {
        Ok(())
    } else {
        let message = format!("the bytes of a part {kind} are no {media_type}");
        Err(invalid("message.media_mismatch", message)
            .hint("say in `media_type` what the bytes are"))
    }
}

/// The refusal of a content that has not the shape of one.
pub(super) fn malformed(why: &str) -> Refusal {
    let message = format!("`content` can't be read: {why}");
    Refusal::new(RefusalKind::Invalid, "message.content_malformed", message)
        .hint(
            "write a text, or a list of {\"type\": \"text\", \"text\": \"…\"}, {\"type\": \"data\", \
             \"data\": …} and {\"type\": \"image\" or \"file\", \"media_type\": \"…\", \"name\": \
             \"…\", \"data\": BASE64}",
        )
        .data(json!({ "field": "content" }))
}
