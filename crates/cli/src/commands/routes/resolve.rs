//! `mobkit routes resolve`.

use super::args::ResolveArgs;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, visible_line};
use serde_json::json;
use std::time::Duration;

pub(super) async fn run(args: &ResolveArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.server.client(output, None, Duration::ZERO)?;
    let mut params = json!({"recipient": args.recipient});
    if let Some(channel) = &args.channel {
        params["channel"] = json!(channel);
    }
    let found = client.call("route/resolve", &params).await?;
    let text = |name: &str| found[name].as_str().map(visible_line);
    let Some(route) = text("route") else {
        let code = text("code").unwrap_or_else(|| "route.none".to_owned());
        // Out of use is a state that can be changed; nothing there is not.
        let exit = if code == "route.none" {
            Exit::Missing
        } else {
            Exit::Conflict
        };
        let reason = text("reason").unwrap_or_else(|| "no route takes it".to_owned());
        let hint = text("hint").unwrap_or_else(|| "see the routes with `mobkit routes`".to_owned());
        return Err(Failure::new(exit, code, reason).hint(hint));
    };
    if output.is_json() {
        output.document(&found)?;
    } else {
        let sink = text("sink").map(|sink| format!(" ({sink})"));
        output.line(&format!("{route}{}", sink.unwrap_or_default()))?;
    }
    Ok(Exit::Done)
}
