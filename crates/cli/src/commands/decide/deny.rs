//! `mobkit deny`.

use super::decision::{Decision, checked_digest, pending};
use crate::client::ServerArgs;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, visible_line};
use serde_json::json;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct DenyArgs {
    /// Which, e.g. apr-12; see `mobkit approvals`
    id: String,
    /// Why; the agent is told
    #[arg(short = 'm', long = "message", value_name = "WHY")]
    reason: String,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Digest of what was seen; anything else is not refused
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn deny(args: &DenyArgs, output: &Output) -> Result<Exit, Failure> {
    if args.reason.trim().is_empty() {
        let message = "a refusal without a reason leaves the agent to guess";
        return Err(Failure::new(Exit::Usage, "reason.missing", message)
            .hint("say why: -m \"ask legal first\""));
    }
    let client = args.server.client(output, None, Duration::ZERO)?;
    let approval = pending(&client, &args.id).await?;
    checked_digest(&approval, args.digest.as_deref())?;
    let (id, member, tool) = (
        visible_line(approval.id()),
        visible_line(approval.text("member")),
        visible_line(approval.text("tool")),
    );
    let question = if approval.is_question() {
        format!("Give {tool} no answer ({id})?")
    } else {
        format!("Refuse {member} the call of {tool} ({id})?")
    };
    let decision = Decision {
        approval: &approval,
        verdict: "deny",
        additions: Vec::new(),
        question,
        flags: "--yes".to_owned(),
        more: json!({"reason": args.reason}),
    };
    let result = decision.make(&client, args.yes).await?;
    if output.is_json() {
        output.document(&result)?;
    } else {
        output.line(&format!("denied {id}"))?;
    }
    Ok(Exit::Done)
}
