//! `mobkit approvals` as it was asked for.

use super::approval::Approval;
use super::args::{ApprovalsArgs, ApprovalsCommand, PENDING};
use super::card::card;
use super::list;
use super::long::long_texts;
use super::unknown::{Unknown, unknown_calls};
use crate::client::{Client, ServerArgs};
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Tone};
use serde_json::json;
use std::time::Duration;

pub(crate) async fn run(args: &ApprovalsArgs, output: &Output) -> Result<Exit, Failure> {
    match (&args.command, &args.id) {
        (Some(ApprovalsCommand::Show { id, server }), _) => show(id, server, output).await,
        (None, Some(id)) => show(id, &args.server, output).await,
        (None, None) => list(args, output).await,
    }
}

async fn show(id: &str, server: &ServerArgs, output: &Output) -> Result<Exit, Failure> {
    let client = server.client(output, None, Duration::ZERO)?;
    let approval = Approval::fetch(&client, id).await?;
    if output.is_json() {
        output.document(&approval.whole)?;
        return Ok(Exit::Done);
    }
    let long = long_texts(&client, approval.args()).await?;
    let paint = |tone: Tone, text: &str| output.paint(tone, text);
    for line in card(&approval, &long, environment::now(), paint) {
        output.line(&line)?;
    }
    if approval.is_pending() {
        for line in ways(&approval) {
            output.notice(&line);
        }
    }
    Ok(Exit::Done)
}

/// How to decide it.
fn ways(approval: &Approval) -> [String; 2] {
    let (id, digest) = (approval.id(), approval.digest());
    let (yes, no) = if approval.is_question() {
        ("--answer NAME=VALUE …", "-m WHY")
    } else {
        ("", "-m WHY")
    };
    let approve = format!("mobkit approve {id} {yes}");
    [
        format!("decide: {} or mobkit deny {id} {no}", approve.trim_end()),
        format!(
            "in a script: {} --yes --digest {digest}",
            approve.trim_end()
        ),
    ]
}

async fn list(args: &ApprovalsArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.server.client(output, None, Duration::ZERO)?;
    let state = match &args.in_state {
        Some(state) => state.as_str(),
        None if args.all => ALL,
        None => PENDING,
    };
    let approvals = list::fetch(&client, state).await?;
    let only_pending = state == PENDING;
    let unknown = if only_pending {
        unknown_calls(&client).await?
    } else {
        Vec::new()
    };
    if output.is_json() {
        let approvals: Vec<_> = approvals
            .into_iter()
            .map(|approval| approval.whole)
            .collect();
        let mut document = json!({"approvals": approvals});
        if only_pending {
            document["unknown"] = unknown.iter().map(Unknown::to_json).collect();
        }
        output.document(&document)?;
        return Ok(Exit::Done);
    }
    tell(&client, state, &approvals, &unknown)
}

fn tell(
    client: &Client<'_>,
    state: &str,
    approvals: &[Approval],
    unknown: &[Unknown],
) -> Result<Exit, Failure> {
    let output = client.output;
    let only_pending = state == PENDING;
    if approvals.is_empty() && unknown.is_empty() {
        output.notice(match state {
            PENDING => NOTHING_WAITS,
            ALL => "nothing has needed a decision so far",
            _ => "no approval is in this state",
        });
        return Ok(Exit::Done);
    }
    let now = environment::now();
    if !approvals.is_empty() {
        output.line(&list::table(output, approvals, only_pending, now))?;
    }
    if only_pending && let Some(first) = approvals.first() {
        let id = first.id();
        output.notice(&format!(
            "look at one and decide: mobkit approvals {id}, mobkit approve {id}, mobkit deny {id} -m WHY"
        ));
    }
    if !unknown.is_empty() {
        output.notice("nobody knows whether these calls happened; their turns wait for a word:");
        for call in unknown {
            for line in call.lines(now) {
                output.line(&line)?;
            }
        }
    }
    Ok(Exit::Done)
}

/// The word for approvals in whatever state.
const ALL: &str = "all";

/// What a person is told who has nothing to decide.
const NOTHING_WAITS: &str = "nothing waits for a decision; a gate in the mob file makes calls wait:
  [[gates]]
  tool = \"module:mail/*\"
  action = \"review\"";
