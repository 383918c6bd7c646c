//! `mobkit events`.

use crate::client::{EventQuery, EventReader, Format, Frame, ServerArgs};
use crate::failure::{Exit, Failure};
use crate::terminal::Output;
use std::time::Duration;

/// How long a reader puts up with an outage where the user does not say.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub(crate) struct EventsArgs {
    /// Wait for events that are still to come
    #[arg(short, long)]
    follow: bool,
    /// Continue after this place of the journal; 0 is the beginning
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    after: u64,
    /// Only these kinds, e.g. turn.completed,tool.*
    #[arg(long, value_name = "KINDS")]
    kinds: Option<String>,
    /// Only events about this, e.g. member/editor
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// Only events from there: agent, module, runtime, operator or app
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: &EventsArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.server.client(output, None, patience(args.follow))?;
    let query = EventQuery {
        after: args.after,
        kinds: args.kinds.clone(),
        subject: args.subject.clone(),
        source: args.source.clone(),
        follow: args.follow,
    };
    let mut reader = EventReader::new(&client, query, Format::Lines);
    while let Some(frame) = reader.next().await? {
        if let Frame::Event(_, line) = frame {
            output.line(&line)?;
        }
    }
    Ok(Exit::Done)
}

/// Who follows sits out a restart; who looks once wants to know at once.
pub(crate) fn patience(follow: bool) -> Duration {
    if follow { PATIENCE } else { Duration::ZERO }
}
