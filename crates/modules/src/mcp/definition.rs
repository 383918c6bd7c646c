//! A tool as its module describes it.

use super::excerpt::excerpt;
use crate::client::{Host, hash_of, is_tool_name};
use mobkit_domain::event::{ToolDefinition, ToolEffect};
use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The definitions of the tools that a module lists, in the order of their names. One that can't be
/// called by its name is left out, and the host is told.
pub(super) fn definitions(listed: Vec<Tool>, host: &dyn Host) -> Vec<ToolDefinition> {
    let mut tools = BTreeMap::new();
    for tool in listed {
        let tool = definition(tool);
        let reason = if !is_tool_name(&tool.name) {
            "a name has 1 to 128 of a-z, A-Z, 0-9, '_', '-', '.' and '/'"
        } else if tools.contains_key(&tool.name) {
            "it is listed already"
        } else {
            tools.insert(tool.name.clone(), tool);
            continue;
        };
        host.said(json!({
            "kind": "tool_left_out",
            "tool": excerpt(&tool.name),
            "reason": reason,
        }));
    }
    tools.into_values().collect()
}

/// The definition of a tool.
fn definition(tool: Tool) -> ToolDefinition {
    let name = tool.name.into_owned();
    let hint = hint(tool.annotations.as_ref());
    let description = tool.description.map(Cow::into_owned);
    let description = description.or(tool.title).unwrap_or_default();
    let schema = Value::Object(Arc::unwrap_or_clone(tool.input_schema));
    let output_schema = tool
        .output_schema
        .map(Arc::unwrap_or_clone)
        .map(Value::Object);
    let hash = hash_of(&json!({
        "name": name,
        "description": description,
        "schema": schema,
        "output_schema": output_schema,
        "hint": hint,
    }));
    ToolDefinition {
        name,
        description,
        schema,
        output_schema,
        hint,
        hash,
    }
}

/// What the annotations say of a repeated call. Whether the first one destroys something is another
/// matter, so `destructiveHint` says nothing here.
fn hint(annotations: Option<&ToolAnnotations>) -> ToolEffect {
    let Some(annotations) = annotations else {
        return ToolEffect::Effect;
    };
    if annotations.read_only_hint == Some(true) {
        ToolEffect::Read
    } else if annotations.idempotent_hint == Some(true) {
        ToolEffect::Idempotent
    } else {
        ToolEffect::Effect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint_of(annotations: &Value) -> ToolEffect {
        let tool = json!({
            "name": "a", "inputSchema": { "type": "object" }, "annotations": annotations,
        });
        let tool: Tool = serde_json::from_value(tool).expect("a tool");
        definition(tool).hint
    }

    #[test]
    fn annotations_are_hints_of_what_a_repeated_call_does() {
        let both = json!({ "readOnlyHint": true, "idempotentHint": true });
        assert_eq!(hint_of(&both), ToolEffect::Read);
        let destroys_once = json!({ "idempotentHint": true, "destructiveHint": true });
        assert_eq!(hint_of(&destroys_once), ToolEffect::Idempotent);
        assert_eq!(
            hint_of(&json!({ "readOnlyHint": false })),
            ToolEffect::Effect
        );
        assert_eq!(
            hint_of(&json!({ "destructiveHint": false })),
            ToolEffect::Effect
        );
        assert_eq!(hint_of(&json!({})), ToolEffect::Effect);
    }

    #[test]
    fn a_tool_without_a_description_is_described_by_its_title() {
        let tool = json!({ "name": "a", "title": "Adds", "inputSchema": { "type": "object" } });
        let tool: Tool = serde_json::from_value(tool).expect("a tool");
        assert_eq!(definition(tool).description, "Adds");
    }
}
