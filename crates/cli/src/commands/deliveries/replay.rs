//! `mobkit deliveries replay`.

use super::args::ReplayArgs;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, visible_line};
use serde_json::json;
use std::time::Duration;

pub(super) async fn run(args: &ReplayArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.server.client(output, None, Duration::ZERO)?;
    let mut replayed = Vec::new();
    for id in &args.ids {
        let params = json!({"delivery": id, "key": environment::random_key()?});
        match client.call("delivery/replay", &params).await {
            Ok(result) => replayed.push(result),
            // Those before it are on their way.
            Err(failure) => return Err(missing(failure).beside("replayed", replayed)),
        }
        if !output.is_json() {
            output.line(&format!("sent {} again", visible_line(id)))?;
        }
    }
    if output.is_json() {
        output.document(&json!({"replayed": replayed}))?;
    }
    Ok(Exit::Done)
}

/// Adds what there is instead of a delivery that is not there.
pub(crate) fn missing(failure: Failure) -> Failure {
    if failure.code() == "delivery.not_found" {
        failure.hint("see which there are with `mobkit deliveries`")
    } else {
        failure
    }
}
