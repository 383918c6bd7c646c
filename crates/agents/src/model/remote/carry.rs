//! What providers want back unchanged: reasoning and its signatures.

use genai::chat::{ContentPart, StreamEnd};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The reasoning of one answer, bound to the model that gave it; another model could not read it.
#[derive(Debug, Serialize, Deserialize)]
struct Carry {
    by: String,
    parts: Vec<Part>,
    /// The signature of each call, in the order of the calls, where calls are signed by themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    calls: Vec<Option<String>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Reasoning(String),
    Signature(String),
    /// A block of the provider's own shape.
    Block(Value),
}

/// What goes back to the model that gave it.
#[derive(Debug, Default)]
pub(super) struct Restored {
    /// What stands before the text and the calls.
    pub parts: Vec<ContentPart>,
    /// The signature of each call; shorter than the calls where the rest has none.
    pub calls: Vec<Option<String>>,
}

/// What to keep of an answer that `model` gave, if it wants anything back. `signed` has the
/// signature of each call, where calls are signed by themselves.
pub(super) fn keep(model: &str, end: &StreamEnd, signed: &[Option<String>]) -> Option<Value> {
    let content = end
        .captured_content
        .iter()
        .flat_map(|content| content.parts().iter());
    let of_call = |signature: &String| signed.contains(&Some(signature.clone()));
    let mut parts: Vec<Part> = content
        .filter_map(|part| match part {
            ContentPart::ReasoningContent(text) => Some(Part::Reasoning(text.clone())),
            ContentPart::ThoughtSignature(text) if of_call(text) => None,
            ContentPart::ThoughtSignature(text) => Some(Part::Signature(text.clone())),
            ContentPart::Custom(custom) => Some(Part::Block(custom.data.clone())),
            _ => None,
        })
        .collect();
    let calls = if signed.iter().any(Option::is_some) {
        signed.to_vec()
    } else {
        Vec::new()
    };
    if parts.is_empty() && calls.is_empty() {
        parts.extend(end.captured_reasoning_content.clone().map(Part::Reasoning));
    }
    if parts.is_empty() && calls.is_empty() {
        return None;
    }
    let by = model.to_owned();
    serde_json::to_value(Carry { by, parts, calls }).ok()
}

/// What `model` gets back; nothing where another model gave it.
pub(super) fn restore(model: &str, carry: Option<&Value>) -> Restored {
    let carry = carry.and_then(|carry| Carry::deserialize(carry).ok());
    let Some(carry) = carry.filter(|carry| carry.by == model) else {
        return Restored::default();
    };
    let parts = carry.parts.into_iter().map(|part| match part {
        Part::Reasoning(text) => ContentPart::ReasoningContent(text),
        Part::Signature(text) => ContentPart::ThoughtSignature(text),
        Part::Block(data) => ContentPart::from_custom(data, None),
    });
    Restored {
        parts: parts.collect(),
        calls: carry.calls,
    }
}
