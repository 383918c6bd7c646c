//! A call of a tool that does nothing: through a module, and by a bare client of the same server.

use crate::hands::{next, reader, start, submission};
use crate::mob::on_threads;
use crate::noop;
use crate::part::{Setting, command};
use crate::report::Row;
use crate::samples::{Samples, time};
use anyhow::{Context, ensure};
use mobkit::Mob;
use mobkit::command::{Command, ModuleCommand};
use mobkit::id::ModuleId;
use rmcp::RoleClient;
use rmcp::model::{CallToolRequestParams, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, RunningService, serve_client_with_lifecycle};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::Child;

/// Short rounds: what disturbs the machine disturbs both that are compared.
const ROUNDS: usize = 100;
const ABOVE: Duration = Duration::from_millis(1);

/// Rows of this part.
pub fn run(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for durability in ["power", "process"] {
        rows.extend(on_threads(beside(setting.clone(), durability))?);
    }
    Ok(rows)
}

async fn beside(setting: Setting, durability: &'static str) -> anyhow::Result<Vec<Row>> {
    let (bare, _server) = bare(&setting).await?;
    let mob = start(&setting.dir.join(durability), durability, 1, ("", "")).await?;
    next(&mut reader(&mob, "module.healthy", 0).await?).await?;
    let (mut bare_calls, mut calls) = (Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        for _ in 0..setting.work(20) {
            let began = Instant::now();
            bare.call_tool(CallToolRequestParams::new(noop::TOOL))
                .await?;
            bare_calls.since(began);
        }
        for _ in 0..setting.work(20) {
            let began = Instant::now();
            call(&mob).await?;
            calls.since(began);
        }
    }
    mob.shutdown().await;
    bare.cancel().await?;
    let above = calls.p50().saturating_sub(bare_calls.p50());
    let measured = format!("{} ({} above)", calls.show(), time(above));
    Ok(vec![
        Row::figure(
            "bare call of the tool of a child process",
            bare_calls.show(),
        ),
        Row::target(
            format!("the same through a module, recorded before and after, {durability}"),
            measured,
            "p50 ≤ 1 ms above",
            above <= ABOVE,
        ),
    ])
}

async fn call(mob: &Mob) -> anyhow::Result<()> {
    let call = ModuleCommand::Call {
        module: ModuleId::parse("noop-0")?,
        tool: noop::TOOL.to_owned(),
        args: serde_json::json!({}),
    };
    let (_, outcome) = mob
        .engine()
        .call_module(submission(Command::Module(call)))
        .await?;
    ensure!(outcome.is_ok(), "the call failed: {outcome:?}");
    Ok(())
}

/// A client of rmcp with the server as its child.
async fn bare(setting: &Setting) -> anyhow::Result<(RunningService<RoleClient, ()>, Child)> {
    let mut server = command(noop::NAME, &setting.dir, setting.quick)?;
    server.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut server = tokio::process::Command::from(server)
        .kill_on_drop(true)
        .spawn()?;
    let stdin = server.stdin.take().context("no pipe")?;
    let stdout = server.stdout.take().context("no pipe")?;
    let lifecycle = ClientLifecycleMode::Discover {
        preferred_versions: vec![ProtocolVersion::LATEST],
    };
    let client = serve_client_with_lifecycle((), (stdout, stdin), lifecycle).await?;
    Ok((client, server))
}
