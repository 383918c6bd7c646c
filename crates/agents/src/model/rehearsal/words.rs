//! Tokens of a rehearsal: words, so that budgets and costs can be rehearsed.

use crate::model::seam::{Item, ModelRequest};
use mobkit_domain::model::CallRequest;
use serde_json::Value;

/// All words of the instructions and the session.
pub(super) fn input(request: &ModelRequest) -> u64 {
    let items = request.items.iter().map(|item| match item {
        Item::User { text, .. } => words(text),
        Item::Assistant { text, calls, .. } => {
            output(text, calls.iter().map(|(_, request)| request))
        }
        Item::ToolResult { result, .. } => words(result),
    });
    words(&request.instructions) + items.sum::<u64>()
}

/// All words of a reply and of the arguments of its calls.
pub(super) fn output<'a>(text: &str, calls: impl Iterator<Item = &'a CallRequest>) -> u64 {
    words(text) + calls.map(|call| value_words(&call.args)).sum::<u64>()
}

/// Texts by their words, everything else as one; names of fields don't count.
fn value_words(value: &Value) -> u64 {
    match value {
        Value::String(text) => words(text),
        Value::Array(values) => values.iter().map(value_words).sum(),
        Value::Object(fields) => fields.values().map(value_words).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
    }
}

fn words(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}
