//! One message for each line of a file.
//!
//! Lines are accepted in their order, one after the other; a line whose fate is unknown is sent
//! again under its key before the next one. Waiting for answers goes on beside it, for a bounded
//! number of lines.

use super::answer::{self, Patience};
use super::args::SendArgs;
use super::progress::Progress;
use super::run::{Accepted, send};
use super::source::{Line, LineSource, STDIN};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use futures::stream::{self, TryStreamExt};
use serde_json::{Value, json};
use std::cell::RefCell;

/// Lines that are on their way at once.
const LINES_OPEN_MAX: usize = 16;

pub(super) async fn run(
    args: &SendArgs,
    source: &str,
    client: &Client<'_>,
) -> Result<Exit, Failure> {
    if source == STDIN && args.key.is_none() {
        client.output.notice(
            "the same lines from stdin are sent to a member once; --key NAME sends them again",
        );
    }
    let lines = LineSource::open(source, args.key.as_deref(), &args.member)?;
    let progress = Progress::new(client.output, lines.len());
    let worst = RefCell::new(Exit::Done);
    let open = if args.waits() { LINES_OPEN_MAX } else { 1 };
    let sent = stream::try_unfold(lines, async |mut lines| {
        let Some(line) = lines.next().await? else {
            return Ok(None);
        };
        let accepted = send(
            client,
            &args.member,
            &serde_json::json!(line.text),
            &line.key,
        )
        .await;
        let accepted = accepted.map_err(|failure| failure.beside("line", line.number))?;
        Ok(Some(((line, accepted), lines)))
    });
    let tell = |line: &str| progress.suspend(|| client.output.notice(line));
    let results = sent.map_ok(|(line, accepted)| result(args, client, (line, accepted), &tell));
    let all = results.try_buffered(open).try_for_each(async |result| {
        progress.advance(result.exit);
        worst.replace_with(|worst| worse(*worst, result.exit));
        progress.suspend(|| client.output.line(&result.text))
    });
    let outcome = tokio::select! {
        biased;
        outcome = all => outcome,
        () = progress.report() => Ok(()),
    };
    progress.finish();
    outcome.map(|()| worst.into_inner())
}

/// What is printed for a line.
struct LineResult {
    text: String,
    exit: Exit,
}

async fn result(
    args: &SendArgs,
    client: &Client<'_>,
    (line, accepted): (Line, Accepted),
    tell: &dyn Fn(&str),
) -> Result<LineResult, Failure> {
    if !args.waits() {
        let text = if client.output.is_json() {
            json!({"line": line.number, "message": accepted.message, "seq": accepted.seq})
                .to_string()
        } else {
            accepted.message
        };
        return Ok(LineResult {
            text,
            exit: Exit::Done,
        });
    }
    let patience = Patience {
        longest: args.server.timeout,
        through_approvals: args.through_approvals,
        tell,
        hear: None,
    };
    let outcome = answer::wait(client, &args.member, &accepted, None, patience).await?;
    if let Some(way_out) = outcome.end.way_out() {
        tell(&format!("line {}: {way_out}", line.number));
    }
    let mut document = outcome.to_json();
    document.insert("line".to_owned(), json!(line.number));
    Ok(LineResult {
        text: Value::Object(document).to_string(),
        exit: outcome.exit(),
    })
}

/// The exit that says more: a failure before a wait for a person, that before a timeout.
pub(crate) fn worse(a: Exit, b: Exit) -> Exit {
    let rank = |exit| match exit {
        Exit::Done => 0,
        Exit::TimedOut => 1,
        Exit::Waiting => 2,
        _ => 3,
    };
    if rank(b) > rank(a) { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_that_says_more_stays() {
        assert_eq!(worse(Exit::Done, Exit::TimedOut), Exit::TimedOut);
        assert_eq!(worse(Exit::Waiting, Exit::TimedOut), Exit::Waiting);
        assert_eq!(worse(Exit::Waiting, Exit::Failed), Exit::Failed);
        assert_eq!(worse(Exit::Failed, Exit::Done), Exit::Failed);
    }
}
