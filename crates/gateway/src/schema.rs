//! JSON Schema (2020-12) of what operations take and answer.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// The schema of what a type is read from.
pub(crate) fn taken<T: JsonSchema>() -> Value {
    of::<T>(SchemaSettings::draft2020_12().for_deserialize())
}

/// The schema of what a type is written as.
pub(crate) fn answered<T: JsonSchema>() -> Value {
    of::<T>(SchemaSettings::draft2020_12().for_serialize())
}

fn of<T: JsonSchema>(mut settings: SchemaSettings) -> Value {
    // Whole in itself, so that it holds in whichever document it stands.
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    // The name of a type of Rust says nothing to clients.
    schema.remove("title");
    schema.to_value()
}

/// Adds the parameters that every surface takes off before an operation reads its own.
pub(crate) fn with_surface(mut schema: Value, takes_key: bool) -> Value {
    schema["properties"]["mob"] = json!({
        "description": "The mob; it may be left out where the server holds one.",
        "type": ["string", "null"],
    });
    if takes_key {
        schema["properties"]["key"] = json!({
            "description": "Idempotency key: a repetition with it gets the first answer.",
            "type": ["string", "null"],
        });
    }
    schema
}
