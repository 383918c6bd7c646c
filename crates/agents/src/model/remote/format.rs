//! The hint to a provider that an answer is to be JSON of a schema. What comes is checked all the
//! same, so a hint is given only where no provider could refuse it.

use super::target::RemoteProvider;
use genai::chat::{ChatResponseFormat, JsonSpec};
use serde_json::Value;

/// Keywords of schemas that every provider with such answers knows.
const KEYWORDS: [&str; 9] = [
    "type",
    "properties",
    "required",
    "items",
    "enum",
    "description",
    "title",
    "additionalProperties",
    "$schema",
];

/// Beginnings of names of models that can't be told a schema.
const CANNOT: [&str; 12] = [
    "gpt-3",
    "gpt-4-",
    "gpt-4o-2024-05",
    "claude-2",
    "claude-3",
    "claude-instant",
    "claude-sonnet-4-0",
    "claude-sonnet-4-2",
    "claude-opus-4-0",
    "claude-opus-4-2",
    "gemini-1",
    "gemini-2.0",
];

/// How `model` is told the schema of its answer; `None`: by its instructions alone.
pub(super) fn of(
    (provider, model): (RemoteProvider, &str),
    schema: Option<&Value>,
    has_tools: bool,
) -> Option<ChatResponseFormat> {
    let schema = schema?;
    let knows = match provider {
        RemoteProvider::OpenAi | RemoteProvider::Anthropic => true,
        // It takes a schema or tools, not both.
        RemoteProvider::Gemini => !has_tools,
        // Nobody knows what the server can do.
        RemoteProvider::OpenAiCompatible => false,
    };
    let can = model != "gpt-4" && !CANNOT.iter().any(|name| model.starts_with(name));
    let is_object = schema["type"] == "object" && schema["properties"].is_object();
    (knows && can && is_object && is_plain(schema))
        .then(|| JsonSpec::new("answer", schema.clone()).into())
}

/// Whether a schema is made of what every provider takes.
fn is_plain(schema: &Value) -> bool {
    let Some(fields) = schema.as_object() else {
        return false;
    };
    let known = fields.keys().all(|key| KEYWORDS.contains(&key.as_str()));
    let named = fields.get("type").is_some_and(Value::is_string) || fields.contains_key("enum");
    let closed = fields
        .get("additionalProperties")
        .is_none_or(|more| *more == false);
    let items = fields.get("items").is_none_or(is_plain);
    let properties = match fields.get("properties") {
        None => schema["type"] != "object",
        Some(properties) => properties
            .as_object()
            .is_some_and(|all| all.values().all(is_plain)),
    };
    known && named && closed && items && properties
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const GPT: (RemoteProvider, &str) = (RemoteProvider::OpenAi, "gpt-5.6");

    fn draft() -> Value {
        json!({"type": "object", "required": ["title"], "properties": {
            "title": {"type": "string", "description": "One line"},
            "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
        }})
    }

    #[test]
    fn a_plain_schema_is_told_to_providers_that_take_one() {
        let told = |of_model, has_tools| of(of_model, Some(&draft()), has_tools).is_some();
        assert!(told(GPT, true));
        assert!(told((RemoteProvider::Anthropic, "claude-sonnet-5"), true));
        assert!(told((RemoteProvider::Gemini, "gemini-3-flash"), false));
        assert!(!told((RemoteProvider::Gemini, "gemini-3-flash"), true));
        assert!(!told((RemoteProvider::OpenAiCompatible, "any"), false));
        for old in ["gpt-4", "gpt-4-turbo", "gpt-3.5-turbo"] {
            assert!(!told((RemoteProvider::OpenAi, old), false), "{old}");
        }
        assert!(!told(
            (RemoteProvider::Anthropic, "claude-3-7-sonnet"),
            false
        ));
        assert!(of(GPT, None, false).is_none());
    }

    #[test]
    fn what_a_provider_could_refuse_stays_in_the_instructions() {
        for (at, value) in [
            ("/type", json!("array")),
            ("/properties/title/pattern", json!("^a")),
            ("/properties/title/type", json!(["string", "null"])),
            ("/properties/tags/items", json!({})),
            ("/properties/open", json!({"type": "object"})),
            ("/additionalProperties", json!(true)),
            ("/oneOf", json!([])),
        ] {
            let mut schema = draft();
            let (parent, key) = at.rsplit_once('/').expect("a pointer");
            schema.pointer_mut(parent).expect("it is there")[key] = value;
            assert!(of(GPT, Some(&schema), false).is_none(), "{at}");
        }
    }
}
