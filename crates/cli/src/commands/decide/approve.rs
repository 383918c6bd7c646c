//! `mobkit approve`.

use super::decision::{Decision, checked_digest, pending};
use super::grant::{Grant, Scope, parse_scope};
use crate::assignment::{self, Assignment, object};
use crate::client::{Client, ServerArgs};
use crate::commands::approvals::Approval;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, visible_json, visible_line};
use serde_json::{Map, Value, json};
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct ApproveArgs {
    /// Which, e.g. apr-12; see `mobkit approvals`
    id: String,
    /// Make the call with this argument instead, as JSON or text; of a question, answer it so. May
    /// be given more than once
    #[arg(long, value_name = "NAME=VALUE", visible_alias = "answer",
          value_parser = assignment::parse)]
    edit: Vec<Assignment>,
    /// Let later calls like this one pass without asking: to the end of the turn, or for a time
    #[arg(long = "for", value_name = "turn|DURATION", value_parser = parse_scope)]
    scope: Option<Scope>,
    /// With --for: whatever their arguments are
    #[arg(long, requires = "scope", conflicts_with = "given")]
    any_args: bool,
    /// With --for: where this argument is so, whatever the others are. May be given more than once
    #[arg(long = "where", value_name = "NAME=VALUE", requires = "scope",
          value_parser = assignment::parse)]
    given: Vec<Assignment>,
    /// Why
    #[arg(short = 'm', long = "message", value_name = "WHY")]
    reason: Option<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Digest of what was seen; anything else is not approved
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn approve(args: &ApproveArgs, output: &Output) -> Result<Exit, Failure> {
    if args.yes && args.digest.is_none() && !output.may_ask() {
        return Err(unseen(&args.id));
    }
    let client = args.server.client(output, None, Duration::ZERO)?;
    let approval = pending(&client, &args.id).await?;
    checked_digest(&approval, args.digest.as_deref())?;
    let mut result = decision(&approval, args).make(&client, args.yes).await?;
    if args.scope.is_some()
        && let Some(grant) = given(&client, &approval).await
    {
        result["grant"] = grant;
    }
    if output.is_json() {
        output.document(&result)?;
    } else {
        output.line(&said(&approval, args, &result))?;
    }
    Ok(Exit::Done)
}

/// The grant that came with the decision. Not learning its name is no failure of the decision.
async fn given(client: &Client<'_>, approval: &Approval) -> Option<Value> {
    let params = Map::from_iter([("member".to_owned(), json!(approval.text("member")))]);
    let grants = client.pages("grant/list", params, "grants").await.ok()?;
    let mut grants = grants.into_iter();
    let mut grant = grants.find(|grant| grant["approval"] == approval.id())?;
    Some(grant["id"].take())
}

fn unseen(id: &str) -> Failure {
    let message = "nobody has seen what --yes would approve";
    let shown = visible_line(id);
    Failure::new(Exit::Usage, "approval.unseen", message).hint(format!(
        "look at it with `mobkit approvals {shown}`, then add --digest with the digest that it shows"
    ))
}

fn decision<'a>(approval: &'a Approval, args: &ApproveArgs) -> Decision<'a> {
    let now = environment::now();
    let (member, tool) = (approval.text("member"), approval.text("tool"));
    let mut additions = Vec::new();
    let mut more = json!({});
    let mut verdict = "approve";
    if approval.is_question() {
        // What was asked for is the answer alone, not the arguments of the call.
        let answer = Value::Object(object(&args.edit));
        additions.push(format!("the answer:\n{}", indented(&answer)));
        more["args"] = answer;
    } else if !args.edit.is_empty() {
        let edited = edited(approval.args(), &args.edit);
        additions.push(format!(
            "with these arguments instead:\n{}",
            indented(&edited)
        ));
        more["args"] = edited;
        verdict = "edit";
    }
    if let Some(grant) = Grant::of(args.scope, args.any_args, &args.given) {
        additions.push(grant.told(member, tool, now));
        more["grant"] = grant.to_json(now);
    }
    if let Some(reason) = &args.reason {
        more["reason"] = reason.as_str().into();
    }
    let (id, member, tool) = (
        visible_line(approval.id()),
        visible_line(member),
        visible_line(tool),
    );
    let question = match (approval.text("about"), verdict) {
        ("elicitation", _) => format!("Give {tool} this answer ({id})?"),
        ("definition", _) => format!(
            "Let {member} call {tool} under its changed definition, which counts from then on \
             ({id})?"
        ),
        (_, "edit") => format!("Let {member} call {tool} with these arguments ({id})?"),
        _ => format!("Let {member} call {tool} ({id})?"),
    };
    Decision {
        approval,
        verdict,
        additions,
        question,
        flags: format!("--yes --digest {}", approval.digest()),
        more,
    }
}

fn indented(value: &Value) -> String {
    let lines: Vec<String> = visible_json(value)
        .lines()
        .map(|line| format!("  {line}"))
        .collect();
    lines.join("\n")
}

/// The arguments with the changes made.
fn edited(args: &Value, changes: &[Assignment]) -> Value {
    let mut edited: Map<String, Value> = args.as_object().cloned().unwrap_or_default();
    edited.extend(object(changes));
    Value::Object(edited)
}

fn said(approval: &Approval, args: &ApproveArgs, result: &Value) -> String {
    let word = if approval.is_question() {
        "answered"
    } else if args.edit.is_empty() {
        "approved"
    } else {
        "approved with other arguments:"
    };
    let id = visible_line(approval.id());
    let grant = match result["grant"].as_str() {
        Some(grant) => format!("; {} lets later calls pass", visible_line(grant)),
        None => String::new(),
    };
    format!("{word} {id}{grant}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_keeps_the_other_arguments() {
        let changes = [assignment::parse("to=ops@b").expect("one")];
        let args = json!({"to": "all@b", "n": 1});
        assert_eq!(edited(&args, &changes), json!({"to": "ops@b", "n": 1}));
    }
}
