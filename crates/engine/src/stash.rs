//! Long payloads go to the blob store before the command that carries them.

use bytes::Bytes;
use mobkit_domain::text::{BlobRef, INLINE_BYTES_MAX, Text};
use mobkit_store::{Store, StoreError};
use serde_json::Value;
use std::fmt::Write;

/// Keeps a text in place, or as a blob if it is too long for an event.
pub async fn stash_text(store: &dyn Store, text: &str) -> Result<Text, StoreError> {
    if text.len() <= INLINE_BYTES_MAX {
        return Ok(Text::from(text));
    }
    let blob = store
        .blob_put(Bytes::copy_from_slice(text.as_bytes()))
        .await?;
    Ok(Text::Blob(blob))
}

/// Replaces every string of `value` that is too long for an event by a reference.
pub async fn stash_value(store: &dyn Store, value: Value) -> Result<Value, StoreError> {
    let mut value = value;
    let mut long = Vec::new();
    find_long(&mut value, &mut String::new(), &mut long);
    for (pointer, text) in long {
        let blob = store.blob_put(Bytes::from(text)).await?;
        if let Some(place) = value.pointer_mut(&pointer) {
            *place = serde_json::to_value(blob).unwrap_or_default();
        }
    }
    Ok(value)
}

fn find_long(value: &mut Value, pointer: &mut String, long: &mut Vec<(String, String)>) {
    let base = pointer.len();
    match value {
        Value::String(text) if text.len() > INLINE_BYTES_MAX => {
            long.push((pointer.clone(), std::mem::take(text)));
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let _ = write!(pointer, "/{index}");
                find_long(item, pointer, long);
                pointer.truncate(base);
            }
        }
        Value::Object(fields) => {
            for (key, item) in fields.iter_mut() {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                find_long(item, pointer, long);
                pointer.truncate(base);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The whole text, from wherever it is.
pub async fn unstash(store: &dyn Store, text: &Text) -> Result<String, StoreError> {
    let blob = match text {
        Text::Inline(text) => return Ok(text.to_string()),
        Text::Blob(blob) => blob,
    };
    let damaged = |detail: String| StoreError::Damaged {
        what: blob.blob.clone(),
        detail,
    };
    match store.blob(&blob.blob).await? {
        Some(content) => {
            String::from_utf8(content.to_vec()).map_err(|_| damaged("it is not text".to_owned()))
        }
        None => Err(damaged("it is missing".to_owned())),
    }
}

/// A value with every text in place: the counterpart of [`stash_value`]. A value that is shaped
/// exactly like a reference is taken for one.
pub async fn unstash_value(store: &dyn Store, value: Value) -> Result<Value, StoreError> {
    let mut value = value;
    let mut kept = Vec::new();
    find_kept(&mut value, &mut kept);
    for (place, blob) in kept {
        *place = Value::String(unstash(store, &Text::Blob(blob)).await?);
    }
    Ok(value)
}

fn find_kept<'v>(value: &'v mut Value, kept: &mut Vec<(&'v mut Value, BlobRef)>) {
    if value.is_object()
        && let Ok(blob) = serde_json::from_value::<BlobRef>(value.clone())
        && blob.is_well_formed()
    {
        kept.push((value, blob));
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| find_kept(item, kept)),
        Value::Object(fields) => fields.values_mut().for_each(|item| find_kept(item, kept)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
