//! Decisions about host programs.

use crate::command::HostCommand;
use crate::draft::{Decision, Draft};
use crate::event::{HostLeft, HostRegistered};
use crate::id::HostId;
use crate::refusal::{Refusal, RefusalKind};
use crate::tool::{ToolSpec, is_built_in};
use serde_json::json;
use std::collections::BTreeSet;

/// Most tools of one registration.
const TOOLS_MAX: usize = 128;
/// Longest name of a tool.
const NAME_LEN_MAX: usize = 64;
/// Longest description of a tool, and longest schema, in bytes.
const WORDS_BYTES_MAX: usize = 32 * 1024;

pub(crate) fn decide(mut draft: Draft<'_>, command: &HostCommand) -> Result<Decision, Refusal> {
    match command {
        HostCommand::Register { tools } => {
            check(&draft, tools)?;
            let host = HostId(draft.next_seq());
            let tools = tools.clone();
            draft.order(HostRegistered { host, tools });
        }
        HostCommand::Leave { host, reason } => {
            let mut hosted = draft.state().hosted.values();
            // One that left before leaves no second time.
            if hosted.any(|tool| tool.host == Some(*host)) {
                let (host, reason) = (*host, reason.clone());
                draft.emit(HostLeft { host, reason });
            }
        }
    }
    Ok(draft.done())
}

fn check(draft: &Draft<'_>, tools: &[ToolSpec]) -> Result<(), Refusal> {
    if tools.is_empty() || tools.len() > TOOLS_MAX {
        let message = format!(
            "a registration has 1 to {TOOLS_MAX} tools, not {}",
            tools.len()
        );
        return Err(Refusal::new(RefusalKind::Invalid, "host.tools", message));
    }
    let mut names = BTreeSet::new();
    for tool in tools {
        if !names.insert(tool.name.as_str()) {
            let message = format!("the tool {} is there twice", tool.name);
            return Err(Refusal::new(RefusalKind::Invalid, "host.tools", message));
        }
        check_words(tool)?;
        check_free(draft, &tool.name)?;
    }
    Ok(())
}

fn check_words(tool: &ToolSpec) -> Result<(), Refusal> {
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let name = tool.name.as_str();
    if !(1..=NAME_LEN_MAX).contains(&name.len()) || !name.bytes().all(known) {
        let shown: String = name.chars().take(80).collect();
        let message = format!("{shown:?} is no name of a tool");
        return Err(
            Refusal::new(RefusalKind::Invalid, "host.tool_name", message).hint(format!(
                "use 1 to {NAME_LEN_MAX} letters, digits, `_`, `-` and `.`"
            )),
        );
    }
    let is_long = |text: &str| text.len() > WORDS_BYTES_MAX;
    if !tool.schema.is_object() || is_long(&tool.schema.to_string()) || is_long(&tool.description) {
        let message = format!(
            "the schema of {name} is a JSON Schema, an object, and neither it nor the description \
             is longer than {WORDS_BYTES_MAX} bytes"
        );
        return Err(Refusal::new(RefusalKind::Invalid, "host.tools", message));
    }
    Ok(())
}

fn check_free(draft: &Draft<'_>, name: &str) -> Result<(), Refusal> {
    let hosted = draft.state().hosted.get(name);
    let by = hosted.and_then(|tool| tool.host);
    let is_own = is_built_in(name) || draft.world.toolbox.0.contains_key(name);
    if !is_own && by.is_none() {
        return Ok(());
    }
    let message = match by {
        Some(host) => format!("{host} offers the tool {name} already"),
        None => format!("{name} is the name of a tool of mobkit or of the program around it"),
    };
    Err(
        Refusal::new(RefusalKind::Conflict, "host.tool_taken", message)
            .hint("give the tool another name, or wait until the other program has gone")
            .data(json!({ "tool": name })),
    )
}
