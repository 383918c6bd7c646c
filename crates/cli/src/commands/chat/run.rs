//! The conversation.

use super::args::ChatArgs;
use super::exchange::{Exchange, left};
use super::history;
use super::input::Input;
use crate::client::Client;
use crate::commands::send::{End, Outcome, PATIENCE, worse};
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Tone};
use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Turns that are shown when a conversation is taken up again.
const TURNS_SHOWN: u64 = 3;

const HELP: &str = "/history [N]  the last turns    /quit  leave, as Ctrl-D does
Ctrl-C stops the turn that runs, a second one leaves.";

pub(crate) async fn run(args: &ChatArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.server.client(output, None, PATIENCE)?;
    let member = args.member(&client).await?;
    let mut interrupts = signal(SignalKind::interrupt()).map_err(|error| {
        Failure::new(Exit::Failed, "signal.setup", format!("no signals: {error}"))
    })?;
    let mut input = Input::new(output);
    let exchange = Exchange {
        client: &client,
        member: &member,
        is_typed: input.is_typed(),
        longest: args.server.timeout,
    };
    if input.is_typed() {
        greet(&client, &member).await?;
    }
    let mut worst = Exit::Done;
    while let Some(line) = next(&mut input, output, &mut interrupts).await? {
        if input.is_typed() && line.starts_with('/') {
            if order(&line, &exchange).await? {
                continue;
            }
            break;
        }
        match exchange.run(&line, &mut interrupts).await {
            Ok(outcome) => {
                worst = worse(worst, outcome.exit());
                show(output, &outcome, &exchange)?;
                if matches!(outcome.exit(), Exit::Waiting) && !exchange.is_typed {
                    output.notice("nothing more is sent while that waits");
                    return Ok(Exit::Waiting);
                }
            }
            // A line that is refused ends no conversation of a person.
            Err(failure) if exchange.is_typed && is_about_the_line(&failure) => {
                output.failure(&failure);
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(if exchange.is_typed { Exit::Done } else { worst })
}

fn is_about_the_line(failure: &Failure) -> bool {
    matches!(failure.exit(), Exit::Usage | Exit::Conflict | Exit::Failed) && !failure.is_silent()
}

/// The next line, unless Ctrl-C ends the conversation.
async fn next(
    input: &mut Input,
    output: &Output,
    interrupts: &mut Signal,
) -> Result<Option<String>, Failure> {
    tokio::select! {
        biased;
        _ = interrupts.recv() => Err(left()),
        line = input.next(output) => line,
    }
}

async fn greet(client: &Client<'_>, member: &str) -> Result<(), Failure> {
    history::show(client, member, TURNS_SHOWN).await?;
    let text = format!("talking with {member}; /help, Ctrl-D leaves");
    client
        .output
        .notice(&client.output.paint_notice(Tone::Faint, &text));
    Ok(())
}

/// Does what a line with a slash says. Returns whether the conversation goes on.
async fn order(line: &str, exchange: &Exchange<'_>) -> Result<bool, Failure> {
    let output = exchange.client.output;
    let mut words = line.split_whitespace();
    match words.next() {
        Some("/quit" | "/exit") => return Ok(false),
        Some("/history") => {
            let count = words.next().and_then(|word| word.parse().ok());
            history::show(exchange.client, exchange.member, count.unwrap_or(10)).await?;
        }
        Some("/help") => output.finding(HELP),
        other => {
            let other = other.unwrap_or_default();
            output.finding(&format!("there is no {other}; /help says what there is"));
        }
    }
    Ok(true)
}

/// Prints the answer, or says why there is none.
fn show(output: &Output, outcome: &Outcome, exchange: &Exchange<'_>) -> Result<(), Failure> {
    if output.is_json() {
        return output.frame(&Value::Object(outcome.to_json()));
    }
    match &outcome.end {
        // A terminal has seen it while it was written.
        End::Completed { .. } if output.stdout_is_terminal() => {}
        End::Completed { text, .. } => output.line(text)?,
        End::Asked { .. } => {
            if let Some(way) = outcome.end.way_out() {
                output.finding(&way);
            }
        }
        _ => output.failure(&outcome.failure().hint(format!(
            "`mobkit logs {}` shows what led to it",
            exchange.member
        ))),
    }
    if let Some(notice) = outcome.cut() {
        output.notice(&notice);
    }
    Ok(())
}
