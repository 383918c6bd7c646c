//! An MCP server with one tool, which does nothing: what is left of a call is the way to it.

use crate::part::Setting;
use serde_json::{Value, json};
use std::io::{BufRead, Write};

/// How this process is told to be the server.
pub const NAME: &str = "noop-server";
/// The tool.
pub const TOOL: &str = "nothing";

/// Answers on standard input and output until the input is closed.
pub fn serve(_setting: &Setting) -> anyhow::Result<()> {
    let (input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    for line in input.lines() {
        let request: Value = serde_json::from_str(&line?)?;
        // A notification has no answer.
        let Some(id) = request.get("id") else {
            continue;
        };
        let answer = match result(&request) {
            Some(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
            None => json!({"jsonrpc": "2.0", "id": id,
                "error": {"code": -32601, "message": "there is no such method"}}),
        };
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

fn result(request: &Value) -> Option<Value> {
    let fresh = json!({"resultType": "complete", "ttlMs": 0, "cacheScope": "private"});
    let mut result = match request["method"].as_str()? {
        "server/discover" => json!({
            "supportedVersions": ["2026-07-28"],
            "capabilities": {"tools": {}},
        }),
        "tools/list" => json!({"tools": [{
            "name": TOOL,
            "description": "Does nothing.",
            "inputSchema": {"type": "object"},
        }]}),
        "tools/call" => json!({"content": [{"type": "text", "text": "done"}]}),
        _ => return None,
    };
    let fields = result.as_object_mut()?;
    fields.extend(fresh.as_object()?.clone());
    Some(result)
}
