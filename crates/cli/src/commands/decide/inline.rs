//! Deciding in the middle of a conversation.

use super::decision::{Decision, show};
use crate::client::Client;
use crate::commands::approvals::{Approval, long_texts};
use crate::failure::Failure;
use serde_json::json;

/// Shows the whole action and asks what becomes of it. Returns whether it was decided; leaving it
/// is no decision.
pub(crate) async fn inline(client: &Client<'_>, approval: &Approval) -> Result<bool, Failure> {
    let output = client.output;
    let long = long_texts(client, approval.args()).await?;
    show(output, approval, &long, &[], false);
    let answer = output
        .ask("approve it? [y = yes, n = no, Enter = leave it]")
        .await;
    let (verdict, more) = match answer.as_deref().map(str::to_lowercase).as_deref() {
        Some("y" | "yes") => ("approve", json!({})),
        Some("n" | "no") => {
            let why = output.ask("why not? The agent is told").await;
            let why = why.filter(|why| !why.is_empty());
            (
                "deny",
                json!({"reason": why.unwrap_or_else(|| "a person said no".to_owned())}),
            )
        }
        _ => return Ok(false),
    };
    let decision = Decision {
        approval,
        verdict,
        additions: Vec::new(),
        question: String::new(),
        flags: String::new(),
        more,
    };
    decision.send(client).await.map(|_| true)
}
