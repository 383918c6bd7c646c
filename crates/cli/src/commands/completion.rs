//! `mobkit completion`.

use crate::arguments;
use crate::failure::{Exit, Failure};
use crate::terminal::Output;
use clap_complete::{Shell, generate};
use serde_json::json;

#[derive(Debug, clap::Args)]
pub(crate) struct CompletionArgs {
    /// The shell that reads it
    shell: Shell,
}

pub(crate) fn run(args: &CompletionArgs, output: &Output) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    generate(args.shell, &mut arguments::command(), "mobkit", &mut script);
    let script = String::from_utf8_lossy(&script);
    if output.is_json() {
        output.document(&json!({"shell": args.shell.to_string(), "script": script}))?;
    } else {
        output.write(&script)?;
    }
    Ok(Exit::Done)
}
