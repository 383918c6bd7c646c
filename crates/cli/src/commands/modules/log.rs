//! `mobkit modules log`.

use super::args::LogArgs;
use super::order::missing;
use crate::client::{EventQuery, EventReader, Format, Frame};
use crate::commands::events::patience;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Tone};
use serde_json::{Value, json};

pub(super) async fn run(args: &LogArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.server.client(output, None, patience(args.follow))?;
    // One line is asked for at least: it says from where on to follow.
    let params = json!({"module": args.module, "limit": args.limit.max(1)});
    let page = client.call("module/log", &params).await.map_err(missing)?;
    // What was recorded together comes together, so there may be more than were asked for.
    let lines = page["lines"].as_array().map_or(&[][..], Vec::as_slice);
    let wanted = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let lines = &lines[lines.len().saturating_sub(wanted)..];
    if output.is_json() && !args.follow {
        output.document(&json!({"lines": lines, "next_after": page["next_after"]}))?;
        return Ok(Exit::Done);
    }
    for line in lines {
        print(output, line)?;
    }
    if !args.follow {
        if lines.is_empty() {
            output.notice("it has written nothing");
        }
        return Ok(Exit::Done);
    }
    let query = EventQuery {
        after: page["next_after"].as_u64().unwrap_or(0),
        kinds: Some("module.log".to_owned()),
        subject: Some(format!("module/{}", args.module)),
        source: None,
        follow: true,
    };
    let mut reader = EventReader::new(&client, query, Format::Lines);
    while let Some(frame) = reader.next().await? {
        if let Frame::Event(envelope, _) = frame {
            for line in of_event(&envelope) {
                print(output, &line)?;
            }
        }
    }
    Ok(Exit::Done)
}

/// The lines of an event, each as the operation tells one.
fn of_event(envelope: &Value) -> Vec<Value> {
    let data = &envelope["data"];
    let lines = data["lines"].as_array().into_iter().flatten().enumerate();
    lines
        .map(|(place, line)| {
            let mut told = json!({"seq": envelope["seq"], "time": envelope["time"], "line": line});
            if place == 0 && !data["dropped"].is_null() {
                told["dropped"] = data["dropped"].clone();
            }
            told
        })
        .collect()
}

fn print(output: &Output, line: &Value) -> Result<(), Failure> {
    if output.is_json() {
        return output.frame(line);
    }
    if let Some(dropped) = line["dropped"].as_u64() {
        output.notice(&format!(
            "lines dropped here, since it wrote too fast: {dropped}"
        ));
    }
    let time = line["time"].as_str().unwrap_or_default();
    let text = output.foreign(line["line"].as_str().unwrap_or_default());
    output.line(&format!("{} {text}", output.paint(Tone::Faint, time)))
}
