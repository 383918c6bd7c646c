//! What was said before.

use crate::client::Client;
use crate::failure::Failure;
use crate::terminal::Tone;
use serde_json::{Value, json};

/// Shows the last turns of a member on stderr, oldest first.
pub(super) async fn show(client: &Client<'_>, member: &str, count: u64) -> Result<(), Failure> {
    let params = json!({"member": member, "limit": count.clamp(1, 100)});
    let page = client.call("turn/list", &params).await?;
    let turns: Vec<&Value> = page["turns"].as_array().into_iter().flatten().collect();
    let output = client.output;
    for turn in turns.into_iter().rev() {
        for message in turn["messages"].as_array().into_iter().flatten() {
            let said = client
                .call("message/get", &json!({"message": message}))
                .await?;
            let from = said["from"].as_str().unwrap_or("unknown");
            let from = if from.starts_with("operator") {
                "you"
            } else {
                from
            };
            output.finding(&told(&format!("{from}>"), &said["text"]));
        }
        let whole = client
            .call("turn/get", &json!({"turn": turn["turn"]}))
            .await?;
        let answer = match &whole["text"] {
            Value::Null => json!(format!(
                "({})",
                whole["status"].as_str().unwrap_or("no answer")
            )),
            text => text.clone(),
        };
        let head = output.paint_notice(Tone::Good, &format!("{member}>"));
        output.finding(&told(&head, &answer));
    }
    Ok(())
}

/// A line of a conversation; a text that is kept elsewhere is named by its size.
fn told(who: &str, text: &Value) -> String {
    match text.as_str() {
        Some(text) => format!("{who} {text}"),
        None => format!("{who} (a text of {} bytes)", text["bytes"]),
    }
}
