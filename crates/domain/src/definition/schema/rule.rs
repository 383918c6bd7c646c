//! Rules for single values and tables, of which the schema is put together.

use crate::definition::retry::{Backoff, Retry};
use crate::definition::scalar::Choice;
use crate::time::span_text;
use serde_json::{Map, Value, json};

/// A key of a table: its name, whether it must be there, and the schema of its value.
pub(super) type Key = (&'static str, bool, Value);

pub(super) fn must(name: &'static str, value: Value) -> Key {
    (name, true, value)
}

pub(super) fn may(name: &'static str, value: Value) -> Key {
    (name, false, value)
}

pub(super) fn table(description: &str, keys: Vec<Key>) -> Value {
    let required: Vec<&str> = keys.iter().filter(|key| key.1).map(|key| key.0).collect();
    let keys = keys
        .into_iter()
        .map(|(name, _, value)| (name.to_owned(), value));
    let properties: Map<String, Value> = keys.collect();
    let mut schema = json!({
        "description": description,
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

pub(super) fn named(description: &str, of: Value) -> Value {
    let mut schema = json!({ "description": description, "type": "object" });
    schema["additionalProperties"] = of;
    schema
}

pub(super) fn list(description: &str, of: Value) -> Value {
    let mut schema = json!({ "description": description, "type": "array" });
    schema["items"] = of;
    schema
}

pub(super) fn text(description: &str) -> Value {
    json!({ "description": description, "type": "string" })
}

pub(super) fn texts(description: &str) -> Value {
    list(description, json!({ "type": "string" }))
}

pub(super) fn flag(description: &str) -> Value {
    json!({ "description": description, "type": "boolean" })
}

pub(super) fn integer(description: &str, least: u64, most: u64) -> Value {
    json!({ "description": description, "type": "integer", "minimum": least, "maximum": most })
}

/// What holds where the key is left out.
pub(super) fn or(default: impl Into<Value>, mut value: Value) -> Value {
    value["default"] = default.into();
    value
}

pub(super) fn amount(description: &str) -> Value {
    json!({ "description": description, "type": "number", "minimum": 0 })
}

pub(super) fn choice<C: Choice>(description: &str) -> Value {
    let words: Vec<&str> = C::OPTIONS.iter().map(|(word, _)| *word).collect();
    json!({ "description": description, "enum": words })
}

pub(super) fn reference(description: &str, to: &str) -> Value {
    json!({ "description": description, "$ref": format!("#/$defs/{to}") })
}

pub(super) fn span(description: &str) -> Value {
    reference(description, "span")
}

pub(super) fn settings(description: &str) -> Value {
    named(description, json!({ "$ref": "#/$defs/setting" }))
}

pub(super) fn backoff() -> Value {
    json!({
        "description": "The first pause and the longest one",
        "type": "array",
        "items": { "$ref": "#/$defs/span" },
        "minItems": 2,
        "maxItems": 2,
    })
}

pub(super) fn pairs(description: &str) -> Value {
    let pair =
        json!({ "type": "array", "items": { "type": "string" }, "minItems": 2, "maxItems": 2 });
    list(description, pair)
}

pub(super) fn retry(default: Retry) -> Value {
    let Backoff { min_ms, max_ms } = default.backoff;
    let pauses = json!([span_text(min_ms), span_text(max_ms)]);
    let attempts = integer("Most attempts, the first one included", 1, 1_000);
    table(
        "When it is tried again",
        vec![
            may("attempts", or(default.attempts, attempts)),
            may("backoff", or(pauses, backoff())),
        ],
    )
}
