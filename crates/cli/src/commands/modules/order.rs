//! `mobkit modules start`, `stop` and `restart`.

use super::args::OrderArgs;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, visible_line};
use serde_json::{Value, json};
use std::time::Duration;

/// How long the server may take: it answers within a minute, wherever the module stands by then.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(75);

pub(super) async fn run(args: &OrderArgs, verb: &str, output: &Output) -> Result<Exit, Failure> {
    let client = args.server.client(output, None, Duration::ZERO)?;
    let params = json!({"module": args.module, "key": environment::random_key()?});
    let path = format!("api/v1/module/{verb}");
    let asked = client.persist(async || client.post(&path, &params, Some(ANSWER_TIMEOUT)).await);
    let result = asked.await.map_err(missing)?;
    let state = result["state"].as_str().unwrap_or_default();
    let wanted = if verb == "stop" { "stopped" } else { "healthy" };
    if state != wanted {
        return Err(elsewhere(&args.module, verb, &result));
    }
    if output.is_json() {
        output.document(&result)?;
    } else {
        output.line(&format!("{} is {state}", visible_line(&args.module)))?;
    }
    Ok(Exit::Done)
}

/// Adds what there is instead of a module that is not there.
pub(crate) fn missing(failure: Failure) -> Failure {
    if failure.code() == "module.not_found" {
        failure.hint("see which there are with `mobkit modules`")
    } else {
        failure
    }
}

/// The module is not where it was told to be.
fn elsewhere(module: &str, verb: &str, result: &Value) -> Failure {
    let text = |name: &str| visible_line(result[name].as_str().unwrap_or_default());
    let (module, state) = (visible_line(module), text("state"));
    let reason = match text("reason") {
        reason if reason.is_empty() => String::new(),
        reason => format!(": {reason}"),
    };
    let is_under_way = matches!(state.as_str(), "starting" | "stopping");
    let (exit, code, message) = if is_under_way {
        let message = format!("{module} is still {state}{reason}");
        (Exit::TimedOut, "module.slow", message)
    } else {
        let end = if verb == "stop" {
            "did not stop"
        } else {
            "did not become healthy"
        };
        let message = format!("{module} {end}, it is {state}{reason}");
        (Exit::Failed, "module.not_well", message)
    };
    let failure = Failure::new(exit, code, message);
    let failure = ["module", "state", "reason", "seq"]
        .iter()
        .filter(|name| !result[**name].is_null())
        .fold(failure, |failure, name| {
            failure.beside(name, result[*name].clone())
        });
    failure.hint(format!(
        "see what it wrote with `mobkit modules log {module}`"
    ))
}
