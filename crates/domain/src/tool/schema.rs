//! Whether arguments fit the JSON Schema of their tool.
//!
//! Schemas come from modules, which are not trusted: one that can't be used, is too large or would
//! be too dear to check holds nobody up. It is not enforced then, and the module sees to its own.

use super::schema_cost::is_cheap;
use crate::text::{BlobRef, Text};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ValidationError};
use serde_json::Value;

/// A schema above this many bytes is not enforced.
const SCHEMA_BYTES_MAX: usize = 64 * 1024;
/// How many broken rules are told at once.
const BROKEN_MAX: usize = 3;
/// Length of what is told of one broken rule, in characters.
const BROKEN_CHARS_MAX: usize = 160;

/// What is wrong with `value` by `schema`, each broken rule with the field that breaks it; `None`:
/// nothing, or the schema can't be enforced. Values are not repeated.
///
/// A long text is a reference here, so its length and pattern are the module's own to check.
pub(crate) fn violation(schema: &Value, value: &Value) -> Option<String> {
    if schema.to_string().len() > SCHEMA_BYTES_MAX || !is_cheap(schema, value) {
        return None;
    }
    let mut seen = value.clone();
    let has_references = stand_in(&mut seen);
    let validator = jsonschema::options()
        .offline()
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
        .ok()?;
    let errors = validator.iter_errors(&seen);
    let told: Vec<String> = errors
        .filter(|error| !has_references || !hangs_on_reference(error, value))
        .take(BROKEN_MAX)
        .map(|error| tell(&error))
        .collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// Puts a text in the place of every reference to one.
fn stand_in(value: &mut Value) -> bool {
    if is_reference(value) {
        *value = Value::from("");
        return true;
    }
    let mut found = false;
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| found |= stand_in(item)),
        Value::Object(fields) => fields.values_mut().for_each(|item| found |= stand_in(item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found
}

fn is_reference(value: &Value) -> bool {
    let blob = value
        .as_object()
        .filter(|fields| fields.len() == 2 && fields.contains_key("blob"))
        .and_then(|_| serde_json::from_value::<BlobRef>(value.clone()).ok());
    blob.is_some_and(|blob| blob.is_well_formed())
}

fn has_reference(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_reference),
        Value::Object(_) if is_reference(value) => true,
        Value::Object(fields) => fields.values().any(has_reference),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether the rule may be broken only since a text is not here. That a text is a text is known.
fn hangs_on_reference(error: &ValidationError<'_>, value: &Value) -> bool {
    let Some(at) = value.pointer(error.instance_path().as_str()) else {
        return false;
    };
    match error.kind() {
        ValidationErrorKind::Type { .. } => false,
        ValidationErrorKind::AnyOf { .. }
        | ValidationErrorKind::OneOfNotValid { .. }
        | ValidationErrorKind::OneOfMultipleValid { .. }
        | ValidationErrorKind::Not { .. }
        | ValidationErrorKind::Contains
        | ValidationErrorKind::Constant { .. }
        | ValidationErrorKind::Enum { .. }
        | ValidationErrorKind::UniqueItems => has_reference(at),
        _ => is_reference(at),
    }
}

/// One broken rule: where, and which.
fn tell(error: &ValidationError<'_>) -> String {
    let path = error.instance_path().as_str();
    let rule = error.masked_with(if path.is_empty() { "it" } else { path });
    let rule = Text::from(rule.to_string()).excerpt(BROKEN_CHARS_MAX);
    match error.kind() {
        // These name what they miss or don't know, not where.
        ValidationErrorKind::Required { .. }
        | ValidationErrorKind::AdditionalProperties { .. }
        | ValidationErrorKind::UnevaluatedProperties { .. }
        | ValidationErrorKind::Constant { .. }
            if !path.is_empty() =>
        {
            format!("{path}: {rule} (rule {})", error.kind().keyword())
        }
        kind => format!("{rule} (rule {})", kind.keyword()),
    }
}

#[cfg(test)]
mod tests;
