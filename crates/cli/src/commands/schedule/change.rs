//! `mobkit schedule rm`, `pause`, `resume` and `trigger`.

use super::args::{OneArgs, PauseScheduleArgs};
use crate::client::ServerArgs;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, visible_line};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) async fn run(args: &OneArgs, verb: &str, output: &Output) -> Result<Exit, Failure> {
    change(&args.server, verb, json!({"schedule": args.id}), output).await
}

pub(super) async fn pause(args: &PauseScheduleArgs, output: &Output) -> Result<Exit, Failure> {
    let mut params = json!({"schedule": args.id});
    if let Some(reason) = &args.reason {
        params["reason"] = json!(reason);
    }
    change(&args.server, "pause", params, output).await
}

async fn change(
    server: &ServerArgs,
    verb: &str,
    mut params: Value,
    output: &Output,
) -> Result<Exit, Failure> {
    let client = server.client(output, None, Duration::ZERO)?;
    let id = visible_line(params["schedule"].as_str().unwrap_or_default());
    params["key"] = json!(environment::random_key()?);
    let result = client.call(&format!("schedule/{verb}"), &params).await?;
    if output.is_json() {
        output.document(&result)?;
        return Ok(Exit::Done);
    }
    let done = match verb {
        "remove" => "removed",
        "pause" => "paused",
        "resume" => "resumed",
        _ => "triggered",
    };
    output.line(&format!("{done} {id}"))?;
    if verb == "trigger" {
        output.notice(&format!(
            "see what comes of it with `mobkit schedule runs {id}`"
        ));
    }
    Ok(Exit::Done)
}
