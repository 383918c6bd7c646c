//! `mobkit modules tools`.

use super::args::ToolsArgs;
use super::order::missing;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Table, Tone, visible_line};
use serde_json::{Map, Value, json};
use std::time::Duration;

pub(super) async fn run(args: &ToolsArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.server.client(output, None, Duration::ZERO)?;
    let mut params = Map::new();
    if let Some(module) = &args.module {
        params.insert("module".to_owned(), json!(module));
    }
    let tools = client
        .pages("module/tools", params, "tools")
        .await
        .map_err(missing)?;
    if output.is_json() {
        output.document(&json!({"tools": tools}))?;
        return Ok(Exit::Done);
    }
    if tools.is_empty() {
        output.notice("no tools are known; a module tells them when it starts");
        return Ok(Exit::Done);
    }
    output.line(&table(output, &tools))?;
    if tools.iter().any(|tool| tool["changed"].is_string()) {
        output.notice(
            "a changed definition counts once the first call of the tool is approved under it",
        );
    }
    Ok(Exit::Done)
}

fn table(output: &Output, tools: &[Value]) -> String {
    let header = ["TOOL", "EFFECT", "GATE", "MEMBERS", "DESCRIPTION"];
    let mut table = Table::new(output, &header);
    for tool in tools {
        let text = |name: &str| visible_line(tool[name].as_str().unwrap_or_default());
        let is_changed = tool["changed"].is_string();
        let description = first_line(tool["description"].as_str().unwrap_or_default());
        let (tone, description) = if is_changed {
            (Tone::Warning, format!("(changed) {description}"))
        } else {
            (Tone::Plain, description)
        };
        let cells = vec![
            text("tool"),
            text("effect"),
            gate(tool),
            members(tool),
            description,
        ];
        table.row(tone, cells);
    }
    table.render()
}

/// The first line of a description, which is often the summary of more.
pub(super) fn first_line(text: &str) -> String {
    let mut lines = text.trim().lines();
    let first = visible_line(lines.next().unwrap_or_default());
    match lines.next() {
        Some(_) => format!("{first} …"),
        None => first,
    }
}

/// What the first gate does; further ones count where the first is narrowed to somebody else.
fn gate(tool: &Value) -> String {
    let gates = tool["gates"].as_array().into_iter().flatten();
    let actions: Vec<String> = gates
        .map(|gate| visible_line(gate["action"].as_str().unwrap_or_default()))
        .collect();
    if actions.is_empty() {
        "-".to_owned()
    } else {
        actions.join(", ")
    }
}

/// Members that are named one by one.
const MEMBERS_NAMED: usize = 3;

fn members(tool: &Value) -> String {
    let members = tool["members"].as_array().map_or(&[][..], Vec::as_slice);
    let named = members.iter().take(MEMBERS_NAMED);
    let mut named: Vec<String> = named
        .map(|id| visible_line(id.as_str().unwrap_or_default()))
        .collect();
    match members.len() {
        0 => "nobody".to_owned(),
        count if count > MEMBERS_NAMED => {
            named.push(format!("and {} more", count - MEMBERS_NAMED));
            named.join(", ")
        }
        _ => named.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Show;

    #[test]
    fn a_tool_says_who_may_call_it_and_what_stops_it() {
        let output = Output::new(&Show::default(), |_| None);
        let tools = [
            json!({"tool": "module:mail/send", "effect": "effect", "description": "Sends a mail",
                "members": ["a", "b", "c", "d", "e"], "changed": "sha256:2",
                "gates": [{"tool": "module:mail/*", "action": "review"}]}),
            json!({"tool": "module:mail/list", "effect": "read", "description": "Lists\nmails",
                "members": [], "gates": []}),
        ];
        insta::assert_snapshot!(table(&output, &tools), @r"
        TOOL              EFFECT  GATE    MEMBERS              DESCRIPTION
        module:mail/send  effect  review  a, b, c, and 2 more  (changed) Sends a mail
        module:mail/list  read    -       nobody               Lists …
        ");
    }
}
