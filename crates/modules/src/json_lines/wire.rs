//! The lines of the protocol.

use crate::client::{hash_of, is_tool_name};
use mobkit_domain::event::{ToolDefinition, ToolEffect};
use serde::Deserialize;
use serde_json::{Value, json};

/// A line of the module.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Incoming {
    /// What came of a request.
    Answer {
        id: String,
        outcome: Result<Value, String>,
    },
    /// A request gets on.
    Progress { id: String, message: String },
    /// Something that nobody asked for.
    Event(Value),
}

/// Reads a line; `None`: it is no part of the protocol.
pub(super) fn read(line: &[u8]) -> Option<Incoming> {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(line) else {
        return None;
    };
    if let Some(event) = fields.remove("event") {
        return Some(Incoming::Event(event));
    }
    let Some(Value::String(id)) = fields.remove("id") else {
        return None;
    };
    if let Some(error) = fields.remove("error") {
        let outcome = Err(text_of(error));
        return Some(Incoming::Answer { id, outcome });
    }
    if let Some(result) = fields.remove("result") {
        let outcome = Ok(result);
        return Some(Incoming::Answer { id, outcome });
    }
    let message = text_of(fields.remove("progress")?);
    Some(Incoming::Progress { id, message })
}

/// A string as it is, anything else as JSON.
pub(super) fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Asks for the tools.
pub(super) fn list(id: &str) -> Value {
    json!({ "id": id, "list": "tools" })
}

/// Calls a tool.
pub(super) fn call(id: &str, tool: &str, args: &Value) -> Value {
    json!({ "id": id, "tool": tool, "args": args })
}

/// Says that nobody waits for the request any longer.
pub(super) fn cancel(id: &str) -> Value {
    json!({ "id": id, "cancel": true })
}

/// Asks for a sign of life.
pub(super) fn ping(id: &str) -> Value {
    json!({ "id": id, "ping": true })
}

#[derive(Deserialize)]
struct Tool {
    name: String,
    #[serde(default)]
    description: String,
    schema: Option<Value>,
    effect: Option<ToolEffect>,
}

/// Reads the answer to [`list`]: the tools in the order of their names. The error says what is
/// wrong with it.
pub(super) fn tools(result: &Value, tools_max: usize) -> Result<Vec<ToolDefinition>, String> {
    let listed = result.get("tools").and_then(Value::as_array);
    let listed = listed.ok_or("its list of tools is not {\"tools\": […]}")?;
    if listed.len() > tools_max {
        return Err(format!("it lists more than {tools_max} tools"));
    }
    let tools: Result<Vec<_>, String> = listed.iter().map(tool).collect();
    let mut tools = tools?;
    tools.sort_by(|a, b| a.name.cmp(&b.name));
    match tools.windows(2).find(|pair| pair[0].name == pair[1].name) {
        Some(pair) => Err(format!("it lists the tool {:?} twice", pair[0].name)),
        None => Ok(tools),
    }
}

fn tool(said: &Value) -> Result<ToolDefinition, String> {
    let tool = Tool::deserialize(said).map_err(|error| format!("a listed tool: {error}"))?;
    if !is_tool_name(&tool.name) {
        return Err(format!(
            "a tool has the name {:?}; a name has 1 to 128 of a-z, A-Z, 0-9, '_', '-', '.' and '/'",
            tool.name
        ));
    }
    let schema = tool.schema.unwrap_or_else(|| json!({ "type": "object" }));
    if !schema.is_object() {
        return Err(format!(
            "the schema of the tool {:?} is not an object",
            tool.name
        ));
    }
    Ok(ToolDefinition {
        name: tool.name,
        description: tool.description,
        schema,
        output_schema: None,
        hint: tool.effect.unwrap_or(ToolEffect::Effect),
        hash: hash_of(said),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_module_are_answers_progress_and_events() {
        let line = |text: &str| read(text.as_bytes());
        let answer = |outcome| {
            let id = "call-12-1".to_owned();
            Some(Incoming::Answer { id, outcome })
        };
        assert_eq!(
            line(r#"{"id":"call-12-1","result":{"a":1}}"#),
            answer(Ok(json!({ "a": 1 })))
        );
        assert_eq!(
            line(r#"{"id":"call-12-1","result":null}"#),
            answer(Ok(Value::Null))
        );
        assert_eq!(
            line(r#"{"id":"call-12-1","error":"no such page","result":1}"#),
            answer(Err("no such page".to_owned()))
        );
        assert_eq!(
            line(r#"{"id":"call-12-1","progress":"half"}"#),
            Some(Incoming::Progress {
                id: "call-12-1".to_owned(),
                message: "half".to_owned()
            })
        );
        assert_eq!(line(r#"{"event":[1]}"#), Some(Incoming::Event(json!([1]))));
        for stray in [
            "",
            "hello",
            "[]",
            "{}",
            r#"{"id":7,"result":1}"#,
            r#"{"id":"x"}"#,
            "{\"id\"",
        ] {
            assert_eq!(line(stray), None, "{stray:?}");
        }
    }

    #[test]
    fn a_list_of_tools_is_read_whole_or_not_at_all() {
        let listed = json!({ "tools": [
            { "name": "put", "effect": "idempotent", "description": "Puts.", "extra": 1 },
            { "name": "get", "schema": { "type": "object", "required": ["url"] }, "effect": "read" },
            { "name": "pay" },
        ] });
        let read = tools(&listed, 3).expect("read");
        let names: Vec<&str> = read.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, ["get", "pay", "put"]);
        assert_eq!(read[1].hint, ToolEffect::Effect);
        assert_eq!(read[1].schema, json!({ "type": "object" }));
        assert_eq!(read[2].hint, ToolEffect::Idempotent);
        let renamed =
            json!({ "tools": [{ "name": "put", "effect": "idempotent", "description": "P." }] });
        let renamed = tools(&renamed, 3).expect("read");
        assert_ne!(renamed[0].hash, read[2].hash);
        for bad in [
            json!([]),
            json!({ "tools": [{}] }),
            json!({ "tools": [{ "name": "a b" }] }),
            json!({ "tools": [{ "name": "a" }, { "name": "a" }] }),
            json!({ "tools": [{ "name": "a", "effect": "none" }] }),
            json!({ "tools": [{ "name": "a", "schema": true }] }),
            json!({ "tools": [{ "name": "a" }, { "name": "b" }, { "name": "c" }, { "name": "d" }] }),
        ] {
            assert!(tools(&bad, 3).is_err(), "{bad}");
        }
    }
}
