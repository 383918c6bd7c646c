//! The built-in tools, as models are told of them.

use super::toolbox::ToolSpec;
use crate::event::ToolEffect;
use serde_json::json;

/// Whether the writer itself decides calls of this tool.
pub fn is_built_in(tool: &str) -> bool {
    built_in_effect(tool).is_some()
}

/// What a repeated call of a built-in tool would do; `None` for the tools of others.
pub(super) fn built_in_effect(tool: &str) -> Option<ToolEffect> {
    match tool {
        "peers" | "now" | "schedule_list" | "task_list" => Some(ToolEffect::Read),
        "send_message" | "ask_peer" | "delegate" | "deliver" | "schedule_put"
        | "schedule_remove" | "task_add" | "task_update" => Some(ToolEffect::Effect),
        _ => None,
    }
}

/// The built-in tools.
pub fn built_in_specs() -> Vec<ToolSpec> {
    let spec = |name: &str, effect, description: &str, schema| ToolSpec {
        name: name.to_owned(),
        description: description.to_owned(),
        schema,
        effect,
    };
    let nothing = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let message = json!({
        "type": "object",
        "properties": {
            "to": {"type": "string", "description": "id of the member, as `peers` lists it"},
            "content": {"type": "string", "description": "what to say"}
        },
        "required": ["to", "content"],
        "additionalProperties": false
    });
    let mut specs = vec![
        spec(
            "peers",
            ToolEffect::Read,
            "Lists the members that you may message, with their roles.",
            nothing.clone(),
        ),
        spec(
            "send_message",
            ToolEffect::Effect,
            "Sends a message to a peer and goes on without waiting for an answer.",
            message.clone(),
        ),
        spec(
            "ask_peer",
            ToolEffect::Effect,
            "Sends a message to a peer and waits for the answer.",
            message,
        ),
        spec("now", ToolEffect::Read, "Tells the time, in UTC.", nothing),
    ];
    specs.extend(super::schedules::specs());
    specs.push(super::deliver::spec());
    specs.push(super::delegate::spec());
    specs.extend(super::tasks::specs());
    specs
}
