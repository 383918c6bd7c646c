//! `mobkit routes enable`.

use super::args::EnableArgs;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, visible_line};
use serde_json::json;
use std::time::Duration;

pub(super) async fn run(args: &EnableArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.server.client(output, None, Duration::ZERO)?;
    let params = json!({"route": args.route, "key": environment::random_key()?});
    let result = client.call("route/enable", &params).await?;
    if output.is_json() {
        output.document(&result)?;
        return Ok(Exit::Done);
    }
    let id = visible_line(&args.route);
    output.line(&format!("{id} is in use"))?;
    output.notice("see what did not arrive with `mobkit deliveries --in dead`");
    Ok(Exit::Done)
}
