//! `mobkit schedule backfill`.

use super::args::BackfillArgs;
use crate::commands::check::counted;
use crate::commands::pause::declined;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, visible_line};
use serde_json::json;
use std::time::Duration;

pub(super) async fn run(args: &BackfillArgs, output: &Output) -> Result<Exit, Failure> {
    if args.from > args.to {
        let message = format!("--from {} is after --to {}", args.from, args.to);
        return Err(Failure::new(Exit::Usage, "schedule.stretch_empty", message)
            .hint("name the earlier time first"));
    }
    let client = args.server.client(output, None, Duration::ZERO)?;
    let id = visible_line(&args.id);
    let question = format!(
        "Run everything that {id} was due for from {} to {} and did not run?",
        args.from, args.to
    );
    if !args.yes && !output.confirm(&question, "--yes").await? {
        return Err(declined());
    }
    let params = json!({
        "schedule": args.id, "from": args.from, "to": args.to, "key": environment::random_key()?,
    });
    let result = client.call("schedule/backfill", &params).await?;
    if output.is_json() {
        output.document(&result)?;
        return Ok(Exit::Done);
    }
    let dues = result["dues"].as_array().map_or(&[][..], Vec::as_slice);
    for due in dues {
        output.line(&visible_line(due.as_str().unwrap_or_default()))?;
    }
    if dues.is_empty() {
        output.notice("nothing was left out in that time");
    } else {
        let count = counted(dues.len(), "occurrence");
        output.notice(&format!(
            "{count} will run; follow with `mobkit schedule runs {id}`"
        ));
    }
    if result["more"] == true {
        output.notice("there are more; say the same again for the next ones");
    }
    Ok(Exit::Done)
}
