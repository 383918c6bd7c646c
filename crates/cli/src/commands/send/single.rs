//! One message.

use super::answer::{self, Patience};
use super::args::SendArgs;
use super::attach;
use super::outcome::{End, Outcome};
use super::run::{Accepted, send};
use super::source::{STDIN, read};
use super::speech::Speech;
use crate::client::Client;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, visible_line};
use serde_json::{Value, json};

pub(super) async fn run(args: &SendArgs, client: &Client<'_>) -> Result<Exit, Failure> {
    let output = client.output;
    let content = content(args)?;
    let key = match &args.key {
        Some(key) => key.clone(),
        None => environment::random_key()?,
    };
    let accepted = send(client, &args.member, &content, &key).await?;
    if !args.waits() {
        if output.is_json() {
            let document = json!({"message": accepted.message, "seq": accepted.seq, "key": key});
            output.document(&document)?;
        } else {
            output.line(&accepted.message)?;
        }
        return Ok(Exit::Done);
    }
    output.notice(&format!(
        "{} accepted (key {key}); waiting for the answer",
        accepted.message
    ));
    let rehearsal = is_rehearsal(client).await;
    if rehearsal {
        output.notice("rehearsal: a script answers, no model is called");
    }
    if let Some(obstacle) = obstacle(client, &args.member, &accepted).await {
        output.notice(&obstacle);
    }
    let mut speech = args.stream.then(|| Speech::new(output));
    let patience = Patience {
        longest: args.server.timeout,
        through_approvals: args.through_approvals,
        tell: &|line| output.notice(line),
        hear: None,
    };
    let waiting = answer::wait(client, &args.member, &accepted, speech.as_mut(), patience);
    // Whatever goes wrong while waiting, the message itself is safe.
    let outcome = waiting
        .await
        .map_err(|failure| failure.beside("message", accepted.message.clone()))?;
    show(args, output, &outcome, speech, (&key, rehearsal))
}

/// Prints the answer, or says why there is none.
fn show(
    args: &SendArgs,
    output: &Output,
    outcome: &Outcome,
    mut speech: Option<Speech<'_>>,
    (key, rehearsal): (&str, bool),
) -> Result<Exit, Failure> {
    match &outcome.end {
        End::Completed { .. } if output.is_json() => {
            let mut document = outcome.to_json();
            document.insert("rehearsal".to_owned(), json!(rehearsal));
            if args.stream {
                output.frame(&Value::Object(document))?;
            } else {
                output.document(&document)?;
            }
        }
        End::Completed { text, .. } => match &mut speech {
            Some(speech) => speech.finish(text)?,
            None => output.line(&output.foreign(text))?,
        },
        _ => {
            if let Some(speech) = &mut speech {
                speech.end_line()?;
            }
            if let (Some(line), false) = (outcome.end.way_out(), output.is_json()) {
                // No failure: somebody has to decide, and this line says how.
                output.finding(&line);
                output.notice(&format!(
                    "the turn goes on; for its answer repeat the command with --key {key}"
                ));
                return Ok(outcome.exit());
            }
            let failure = outcome.failure().beside("key", key);
            return Err(match &outcome.end {
                End::TimedOut => failure.hint(format!(
                    "go on waiting: repeat the command with --key {key}"
                )),
                _ => failure,
            });
        }
    }
    if let Some(notice) = outcome.cut() {
        output.notice(&notice);
    }
    Ok(Exit::Done)
}

fn content(args: &SendArgs) -> Result<Value, Failure> {
    let text = match (&args.text, &args.file) {
        (Some(text), _) if text != STDIN => Some(text.clone()),
        (Some(_), _) => Some(read(STDIN)?),
        (None, Some(file)) => Some(read(file)?),
        (None, None) => None,
    };
    match &text {
        Some(text) if text.trim().is_empty() => {
            let message = "the message is empty";
            Err(Failure::new(Exit::Usage, "content.empty", message)
                .hint("say what the member is to do"))
        }
        _ if !args.attach.is_empty() => attach::content(text.as_deref(), &args.attach),
        Some(text) => Ok(json!(text)),
        None => {
            let message = "there is nothing to send";
            Err(Failure::new(Exit::Usage, "content.missing", message)
                .hint("give a text, - for stdin, --file FILE, --attach FILE or --each-line FILE"))
        }
    }
}

/// What the message has to wait for that is none of its own doing: an earlier turn of the member
/// that waits for a person. Not knowing it is no reason to fail.
async fn obstacle(client: &Client<'_>, member: &str, accepted: &Accepted) -> Option<String> {
    let found = client
        .call_once("member/get", &json!({"member": member}))
        .await
        .ok()?;
    // The number of a turn is its place in the journal.
    let began: u64 = found["turn"].as_str()?.rsplit('-').next()?.parse().ok()?;
    if began >= accepted.seq {
        return None;
    }
    let on = &found["waiting_on"];
    let (member, message) = (visible_line(member), visible_line(&accepted.message));
    match (on["what"].as_str()?, on["approval"].as_str()) {
        ("approval", Some(id)) => {
            let id = visible_line(id);
            Some(format!(
                "{message} is behind a turn of {member} that waits for approval {id} - approve: \
                 mobkit approve {id}"
            ))
        }
        ("operator", _) => Some(format!(
            "{message} is behind a turn of {member} that waits for a person: see `mobkit approvals`"
        )),
        _ => None,
    }
}

/// Whether a script answers instead of a model. Not knowing it is no reason to fail.
async fn is_rehearsal(client: &Client<'_>) -> bool {
    let info = client.call_once("system/info", &json!({})).await;
    info.is_ok_and(|info| info["rehearsal"] == true)
}
