//! `mobkit grants`: which calls pass without asking, and taking that back.

use crate::client::ServerArgs;
use crate::duration;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Table, Tone, visible_json_line, visible_line};
use clap::Subcommand;
use serde_json::{Map, Value, json};
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct GrantsArgs {
    #[command(subcommand)]
    command: Option<GrantsCommand>,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Subcommand)]
enum GrantsCommand {
    /// Take a grant back: what it let pass is asked about again
    Revoke {
        /// Which, e.g. grant-17
        id: String,
        #[command(flatten)]
        server: ServerArgs,
    },
}

pub(crate) async fn run(args: &GrantsArgs, output: &Output) -> Result<Exit, Failure> {
    match &args.command {
        Some(GrantsCommand::Revoke { id, server }) => revoke(id, server, output).await,
        None => list(&args.server, output).await,
    }
}

async fn revoke(id: &str, server: &ServerArgs, output: &Output) -> Result<Exit, Failure> {
    let client = server.client(output, None, Duration::ZERO)?;
    let params = json!({"grant": id, "key": environment::random_key()?});
    let result = client.call("grant/revoke", &params).await;
    let result = result.map_err(|failure| {
        if failure.exit() == Exit::Missing {
            failure.hint("see which hold with `mobkit grants`")
        } else {
            failure
        }
    })?;
    if output.is_json() {
        output.document(&result)?;
    } else {
        output.line(&format!("revoked {}", visible_line(id)))?;
    }
    Ok(Exit::Done)
}

async fn list(server: &ServerArgs, output: &Output) -> Result<Exit, Failure> {
    let client = server.client(output, None, Duration::ZERO)?;
    let grants = client.pages("grant/list", Map::new(), "grants").await?;
    if output.is_json() {
        output.document(&json!({"grants": grants}))?;
        return Ok(Exit::Done);
    }
    if grants.is_empty() {
        output.notice(
            "no grant holds; `mobkit approve ID --for 1h` gives one together with a decision",
        );
        return Ok(Exit::Done);
    }
    output.line(&table(output, &grants, environment::now()))?;
    output.notice("take one back with `mobkit grants revoke ID`");
    Ok(Exit::Done)
}

fn table(output: &Output, grants: &[Value], now: jiff::Timestamp) -> String {
    let mut table = Table::new(output, &["ID", "MEMBER", "TOOL", "BY", "ENDS", "ARGUMENTS"]);
    for grant in grants {
        let text = |name: &str| visible_line(grant[name].as_str().unwrap_or_default());
        let cells = vec![
            text("id"),
            text("member"),
            text("tool"),
            text("by"),
            end(grant, now),
            arguments(grant),
        ];
        table.row(Tone::Plain, cells);
    }
    table.render()
}

fn end(grant: &Value, now: jiff::Timestamp) -> String {
    let until = grant["until"].as_str();
    let left = until.and_then(|until| duration::until(until, now));
    match (left, until, grant["turn"].as_str()) {
        (Some(left), ..) => format!("in {left}"),
        (None, Some(_), _) => "now".to_owned(),
        (None, None, Some(turn)) => format!("with {}", visible_line(turn)),
        (None, None, None) => String::new(),
    }
}

/// Which arguments a call may have.
fn arguments(grant: &Value) -> String {
    let given = grant["args"].as_object();
    let given: Vec<String> = given
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("{}={}", visible_line(name), visible_json_line(value)))
        .collect();
    match (grant["exact"] == true, given.is_empty()) {
        (true, true) => "none".to_owned(),
        (true, false) => given.join(" "),
        (false, true) => "any".to_owned(),
        (false, false) => format!("{}, others as they like", given.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Show;

    #[test]
    fn a_grant_says_what_passes_and_how_long() {
        let output = Output::new(&Show::default(), |_| None);
        let now = "2026-11-22T06:05:00Z".parse().expect("a time");
        let grants = [
            json!({"id": "grant-14", "member": "writer", "tool": "module:mail/send", "exact": true,
                "args": {"to": "a@b", "n": 1}, "scope": "turn", "turn": "turn-9",
                "by": "operator:ada"}),
            json!({"id": "grant-20", "member": "writer", "tool": "module:mail/send", "exact": false,
                "args": {"to": "a@b"}, "scope": "until", "until": "2026-11-22T07:00:00Z",
                "by": "operator:ada"}),
            json!({"id": "grant-31", "member": "critic", "tool": "now", "exact": false,
                "args": {}, "scope": "until", "until": "2026-11-22T06:00:00Z", "by": "app:x"}),
        ];
        insta::assert_snapshot!(table(&output, &grants, now), @r#"
        ID        MEMBER  TOOL              BY            ENDS         ARGUMENTS
        grant-14  writer  module:mail/send  operator:ada  with turn-9  to="a@b" n=1
        grant-20  writer  module:mail/send  operator:ada  in 55:00     to="a@b", others as they like
        grant-31  critic  now               app:x         now          any
        "#);
    }
}
