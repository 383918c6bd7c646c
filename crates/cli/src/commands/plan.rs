//! `mobkit plan`.

use super::change::Plan;
use crate::client::{Client, ServerArgs};
use crate::failure::{Exit, Failure};
use crate::mobfile;
use crate::terminal::Output;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub mob: MobArgs,
}

/// Which mob.
#[derive(Debug, clap::Args)]
pub(crate) struct MobArgs {
    /// The mob file, or a folder that holds mob.toml: it is checked first, and the server is looked
    /// for beside it
    path: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
}

impl MobArgs {
    /// A client for the server of the mob, once its file is known to be valid.
    pub fn client<'a>(&self, output: &'a Output) -> Result<Client<'a>, Failure> {
        let folder = match &self.path {
            Some(path) => Some(mobfile::read_runnable(path, output)?.folder),
            None => None,
        };
        self.server
            .client(output, folder.as_deref(), Duration::ZERO)
    }
}

/// Asks the server for the plan.
pub(crate) async fn fetch(client: &Client<'_>) -> Result<Plan, Failure> {
    Plan::of(client.call("mob/plan", &json!({})).await?)
}

pub(crate) async fn run(args: &PlanArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.mob.client(output)?;
    let plan = fetch(&client).await?;
    if output.is_json() {
        output.document(&plan.whole)?;
        return Ok(Exit::Done);
    }
    for line in plan.lines(output, |tone, text| output.paint(tone, text)) {
        output.line(&line)?;
    }
    if !plan.is_empty() {
        output.notice("make these changes with `mobkit apply`");
    }
    Ok(Exit::Done)
}
