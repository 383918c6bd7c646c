//! The parts of a message as pieces that a model can be shown.

use crate::model::Piece;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mobkit_domain::text::{BlobRef, Part, file_line, reads_as_text};
use mobkit_engine::{unstash, unstash_value};
use mobkit_store::{Store, StoreError};

/// The pieces in their order, where a file of bytes is among them; else none, and the text of the
/// message says it all.
pub(super) async fn pieces(store: &dyn Store, parts: &[Part]) -> Result<Vec<Piece>, StoreError> {
    let mut pieces = Vec::new();
    if !parts.iter().any(Part::is_binary) {
        return Ok(pieces);
    }
    for part in parts {
        pieces.push(match part {
            Part::Text { text } => Piece::Text {
                text: unstash(store, text).await?,
            },
            Part::Data { data } => {
                let data = unstash_value(store, data.clone()).await?;
                let text = data.as_str().map(str::to_owned);
                Piece::Text {
                    text: text.unwrap_or_else(|| data.to_string()),
                }
            }
            Part::Image {
                media_type,
                name,
                data,
            } => binary(store, "image", (media_type, name.as_ref()), data).await?,
            Part::File {
                media_type,
                name,
                data,
            } if reads_as_text(media_type) => {
                let line = file_line("file", name.as_deref(), media_type, data.bytes);
                let content = bytes(store, data).await?;
                let text = format!("{line}\n{}", String::from_utf8_lossy(&content));
                Piece::Text { text }
            }
            Part::File {
                media_type,
                name,
                data,
            } => binary(store, "file", (media_type, name.as_ref()), data).await?,
        });
    }
    Ok(pieces)
}

async fn binary(
    store: &dyn Store,
    kind: &str,
    (media_type, name): (&str, Option<&String>),
    data: &BlobRef,
) -> Result<Piece, StoreError> {
    let content = bytes(store, data).await?;
    Ok(Piece::Binary {
        media_type: media_type.to_owned(),
        name: name.cloned(),
        line: file_line(kind, name.map(String::as_str), media_type, data.bytes),
        base64: STANDARD.encode(&content).into(),
    })
}

async fn bytes(store: &dyn Store, data: &BlobRef) -> Result<Vec<u8>, StoreError> {
    let found = store.blob(&data.blob).await?;
    let found = found.ok_or_else(|| StoreError::Damaged {
        what: data.blob.clone(),
        detail: "it is missing".to_owned(),
    })?;
    Ok(found.to_vec())
}
