//! What providers want back unchanged: reasoning and its signatures.

use genai::chat::{ContentPart, StreamEnd};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The reasoning of one answer, bound to the model that gave it; another model could not read it.
#[derive(Debug, Serialize, Deserialize)]
struct Carry {
    by: String,
    parts: Vec<Part>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Reasoning(String),
    Signature(String),
    /// A block of the provider's own shape.
    Block(Value),
}

/// What to keep of an answer that `model` gave, if it wants anything back.
pub(super) fn keep(model: &str, end: &StreamEnd) -> Option<Value> {
    let content = end
        .captured_content
        .iter()
        .flat_map(|content| content.parts().iter());
    let mut parts: Vec<Part> = content
        .filter_map(|part| match part {
            ContentPart::ReasoningContent(text) => Some(Part::Reasoning(text.clone())),
            ContentPart::ThoughtSignature(text) => Some(Part::Signature(text.clone())),
            ContentPart::Custom(custom) => Some(Part::Block(custom.data.clone())),
            _ => None,
        })
        .collect();
    if parts.is_empty() {
        parts.extend(end.captured_reasoning_content.clone().map(Part::Reasoning));
    }
    if parts.is_empty() {
        return None;
    }
    serde_json::to_value(Carry {
        by: model.to_owned(),
        parts,
    })
    .ok()
}

/// The parts that `model` gets back; none where another model gave them.
pub(super) fn restore(model: &str, carry: Option<&Value>) -> Vec<ContentPart> {
    let carry = carry.and_then(|carry| Carry::deserialize(carry).ok());
    let Some(carry) = carry.filter(|carry| carry.by == model) else {
        return Vec::new();
    };
    let parts = carry.parts.into_iter().map(|part| match part {
        Part::Reasoning(text) => ContentPart::ReasoningContent(text),
        Part::Signature(text) => ContentPart::ThoughtSignature(text),
        Part::Block(data) => ContentPart::from_custom(data, None),
    });
    parts.collect()
}
