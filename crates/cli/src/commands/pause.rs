//! `mobkit pause` and `mobkit resume`.

use crate::client::ServerArgs;
use crate::failure::{Exit, Failure};
use crate::terminal::Output;
use serde_json::json;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct PauseArgs {
    #[command(flatten)]
    target: PauseTarget,
    /// Do not ask before stopping the whole line
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    target: ResumeTarget,
    #[command(flatten)]
    server: ServerArgs,
}

/// One member, or everything.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct PauseTarget {
    /// The member
    member: Option<String>,
    /// The whole line: no turn, occurrence or delivery attempt begins anywhere
    #[arg(long)]
    all: bool,
}

/// One member, or everything.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct ResumeTarget {
    /// The member
    member: Option<String>,
    /// The whole line goes on; a member that was paused by itself stays paused
    #[arg(long)]
    all: bool,
}

pub(crate) async fn pause(args: &PauseArgs, output: &Output) -> Result<Exit, Failure> {
    let question = "Stop the whole line? Messages are accepted and wait.";
    if args.target.all && !args.yes && !output.confirm(question, "--yes").await? {
        return Err(declined());
    }
    call(&args.server, args.target.member.as_deref(), "pause", output).await
}

pub(crate) async fn resume(args: &ResumeArgs, output: &Output) -> Result<Exit, Failure> {
    call(
        &args.server,
        args.target.member.as_deref(),
        "resume",
        output,
    )
    .await
}

/// The user thought better of it.
pub(crate) fn declined() -> Failure {
    Failure::new(Exit::Failed, "input.declined", "nothing was changed")
        .hint("answer y, or pass --yes")
}

async fn call(
    server: &ServerArgs,
    member: Option<&str>,
    verb: &str,
    output: &Output,
) -> Result<Exit, Failure> {
    let client = server.client(output, None, Duration::ZERO)?;
    let (operation, params, object) = match member {
        Some(member) => (
            format!("member/{verb}"),
            json!({"member": member}),
            format!("member {member}"),
        ),
        None => (
            format!("mob/{verb}"),
            json!({}),
            "the whole line".to_owned(),
        ),
    };
    let result = client.call(&operation, &params).await?;
    if output.is_json() {
        output.document(&result)?;
    } else {
        output.line(&format!("{verb}d {object}"))?;
    }
    Ok(Exit::Done)
}
