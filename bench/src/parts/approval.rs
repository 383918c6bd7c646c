//! From a decision to the tool call that it lets pass.

use crate::hands::{next, reader, send, start, submit};
use crate::mob::on_threads;
use crate::part::Setting;
use crate::report::Row;
use crate::samples::Samples;
use anyhow::Context;
use mobkit::Mob;
use mobkit::command::{ApprovalCommand, Command};
use mobkit::event::Verdict;
use serde_json::Value;
use std::time::{Duration, Instant};

const GATE: &str = "[[gates]]\ntool = \"module:noop-0/*\"\naction = \"review\"\n";
const STARTED: Duration = Duration::from_millis(10);

/// Rows of this part.
pub fn run(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let decided = on_threads(decided(setting.clone()))?;
    Ok(vec![Row::target(
        "approval decided to tool call started, power",
        decided.show(),
        "p99 ≤ 10 ms",
        decided.p99() <= STARTED,
    )])
}

async fn decided(setting: Setting) -> anyhow::Result<Samples> {
    let mob = start(&setting.dir, "power", 1, ("", GATE)).await?;
    next(&mut reader(&mob, "module.healthy", 0).await?).await?;
    let mut asked = reader(&mob, "approval.requested", 0).await?;
    let mut started = reader(&mob, "tool.started", 0).await?;
    let mut samples = Samples::default();
    for _ in 0..setting.work(2_000) {
        send(&mob).await?;
        let request = next(&mut asked).await?;
        let began = Instant::now();
        approve(&mob, &request).await?;
        next(&mut started).await?;
        samples.since(began);
    }
    mob.shutdown().await;
    Ok(samples)
}

async fn approve(mob: &Mob, request: &Value) -> anyhow::Result<()> {
    let text = |name: &str| request["data"][name].as_str().context("no text");
    let decide = ApprovalCommand::Decide {
        approval: text("approval")?.parse()?,
        digest: text("digest")?.to_owned(),
        decision: Verdict::Approve,
        args: None,
        reason: None,
        grant: None,
        roles: Vec::new(),
    };
    submit(mob, Command::Approval(decide)).await?;
    Ok(())
}
