//! Calls of which nobody knows whether they happened: somebody has to say it, as with an approval.

use crate::client::Client;
use crate::duration;
use crate::failure::Failure;
use crate::terminal::{visible_json_line, visible_line};
use serde_json::{Map, Value, json};

/// A call whose turn waits until somebody says what came of it.
pub(super) struct Unknown {
    call: String,
    member: String,
    turn: String,
    tool: String,
    args: Value,
    time: String,
    reason: Option<String>,
}

/// Every such call, the oldest first.
pub(super) async fn unknown_calls(client: &Client<'_>) -> Result<Vec<Unknown>, Failure> {
    let params = Map::from_iter([("state".to_owned(), json!("waiting"))]);
    let waiting = client.pages("member/list", params, "members").await?;
    let mut calls = Vec::new();
    for member in &waiting {
        // Who waits for a peer waits for nothing else.
        if let (Some(id), Some(turn)) = (member["id"].as_str(), member["turn"].as_str())
            && member["waiting_for"] != "peer"
        {
            calls.extend(of_turn(client, id, turn).await?);
        }
    }
    Ok(calls)
}

async fn of_turn(client: &Client<'_>, member: &str, turn: &str) -> Result<Vec<Unknown>, Failure> {
    // The number of a turn is its place in the journal.
    let began: u64 = turn
        .rsplit('-')
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    let mut params = json!({"after": began, "kinds": ["tool.unknown", "tool.resolved"],
        "subject": format!("member/{member}"), "limit": 1_000});
    let mut open: Vec<Unknown> = Vec::new();
    loop {
        let page = client.call("event/query", &params).await?;
        for event in page["events"].as_array().into_iter().flatten() {
            let data = &event["data"];
            if data["turn"] != turn {
                continue;
            }
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let call = text(&data["call"]);
            open.retain(|known| known.call != call);
            if event["kind"] == "tool.unknown" {
                open.push(Unknown {
                    call,
                    member: member.to_owned(),
                    turn: turn.to_owned(),
                    tool: text(&data["tool"]),
                    args: data["args"].clone(),
                    time: text(&event["time"]),
                    reason: data["reason"].as_str().map(str::to_owned),
                });
            }
        }
        let next = page["next_after"].as_u64();
        if next.is_none() || next >= page["head"].as_u64() || next == params["after"].as_u64() {
            return Ok(open);
        }
        params["after"] = json!(next);
    }
}

impl Unknown {
    /// The document of it, with the parameters that `tool/resolve` takes.
    pub fn to_json(&self) -> Value {
        json!({"call": self.call, "member": self.member, "turn": self.turn, "tool": self.tool,
            "args": self.args, "since": self.time, "reason": self.reason})
    }

    /// What happened, and the ways to say what came of it.
    pub fn lines(&self, now: jiff::Timestamp) -> Vec<String> {
        let age = duration::since(&self.time, now);
        let age = age.map_or_else(String::new, |age| format!(", {age} ago"));
        let reason = self.reason.as_deref().map(visible_line);
        let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        let call = visible_line(&self.call);
        let resolve = |how: &str, result: &str| {
            format!(
                "mobkit rpc tool/resolve '{{\"call\": \"{call}\", \"how\": \"{how}\"{result}}}'"
            )
        };
        vec![
            format!(
                "{call}  {} called {} {}{age}{reason}",
                visible_line(&self.member),
                visible_line(&self.tool),
                visible_json_line(&self.args),
            ),
            format!(
                "  it happened:              {}",
                resolve("happened", ", \"result\": \"…\"")
            ),
            format!("  it did not, so do it now:  {}", resolve("run", "")),
            format!("  nobody can tell:          {}", resolve("give_up", "")),
        ]
    }
}
