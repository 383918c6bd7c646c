//! `mobkit logs`.

use super::events::patience;
use super::{deliveries, modules};
use crate::client::{Client, EventQuery, EventReader, Format, Frame, ServerArgs};
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Tone};
use serde_json::{Value, json};
use std::collections::VecDeque;

#[derive(Debug, clap::Args)]
pub(crate) struct LogsArgs {
    /// Only what is about this member, or module:ID, schedule:ID, delivery:ID, route:ID or
    /// engine:NAME
    #[arg(value_name = "MEMBER|NOUN:ID")]
    about: Option<String>,
    /// Go on with what is still to come
    #[arg(short, long)]
    follow: bool,
    /// Only the last N lines of what there is already
    #[arg(short = 'n', long, value_name = "N")]
    tail: Option<usize>,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: &LogsArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.server.client(output, None, patience(args.follow))?;
    let about = args.about.as_deref().map(Object::of);
    let mut query = EventQuery {
        subject: about.map(Object::subject),
        ..EventQuery::default()
    };
    if let (Some(object), true) = (about, args.follow)
        && let Some(absent) = absence(&client, object).await?
    {
        output.notice(&format!("{absent}; following in case it comes"));
    }
    let mut count = 0;
    if let Some(tail) = args.tail {
        (query.after, count) = print_tail(&client, &query, tail).await?;
    }
    if args.tail.is_none() || args.follow {
        query.follow = args.follow;
        (_, count) = read(&client, query, |envelope, line| {
            print(output, envelope, line)
        })
        .await?;
    }
    match about {
        // Who was deleted has events; who has neither was never here.
        Some(object) if count == 0 => match absence(&client, object).await? {
            Some(absent) => Err(absent),
            None => Ok(Exit::Done),
        },
        _ => Ok(Exit::Done),
    }
}

/// What an id may be of, named before it.
const NOUNS: [&str; 6] = [MEMBER, "module", "schedule", "delivery", "route", ENGINE];
/// What runs the turns of members.
const ENGINE: &str = "engine";
/// The noun that may be left out, unless the id begins like one of them.
const MEMBER: &str = "member";

/// What events are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Object<'a> {
    noun: &'static str,
    id: &'a str,
}

impl<'a> Object<'a> {
    fn of(text: &'a str) -> Self {
        let named = NOUNS.iter().find_map(|noun| {
            let id = text.strip_prefix(noun)?.strip_prefix(':')?;
            Some(Self { noun, id })
        });
        // Ids of members may hold colons too.
        named.unwrap_or(Self {
            noun: MEMBER,
            id: text,
        })
    }

    fn subject(self) -> String {
        format!("{}/{}", self.noun, self.id)
    }
}

/// The refusal that says that there is no such object.
async fn absence(client: &Client<'_>, object: Object<'_>) -> Result<Option<Failure>, Failure> {
    let Object { noun, id } = object;
    if noun == ENGINE {
        return engine_absence(client, id).await;
    }
    match client
        .call(&format!("{noun}/get"), &json!({noun: id}))
        .await
    {
        Ok(_) => Ok(None),
        Err(failure) if failure.exit() == Exit::Missing => {
            Ok(Some(modules::missing(deliveries::missing(failure))))
        }
        Err(failure) => Err(failure),
    }
}

/// The refusal that says that no members have an engine of this name, and none ever ran.
async fn engine_absence(client: &Client<'_>, id: &str) -> Result<Option<Failure>, Failure> {
    let answer = client.call("engine/list", &json!({})).await?;
    let engines = answer["engines"].as_array().into_iter().flatten();
    let names: Vec<&str> = engines.filter_map(|engine| engine["id"].as_str()).collect();
    if names.contains(&id) {
        return Ok(None);
    }
    let message = format!("no engine {id} runs members of this mob");
    let failure = Failure::new(Exit::Missing, "engine.not_found", message);
    Ok(Some(
        failure.hint(format!("there are: {}", names.join(", "))),
    ))
}

/// Prints the last `tail` lines of what there is, and returns where that ended and how many there
/// were.
async fn print_tail(
    client: &Client<'_>,
    query: &EventQuery,
    tail: usize,
) -> Result<(u64, u64), Failure> {
    let mut last = VecDeque::new();
    let all = read(client, query.clone(), |envelope, line| {
        last.push_back((envelope.clone(), line.to_owned()));
        if last.len() > tail {
            last.pop_front();
        }
        Ok(())
    });
    let ended = all.await?;
    for (envelope, line) in last {
        print(client.output, &envelope, &line)?;
    }
    Ok(ended)
}

/// Hands over every event, from the oldest that is kept, and returns the place of the last and how
/// many there were.
async fn read(
    client: &Client<'_>,
    query: EventQuery,
    mut each: impl FnMut(&Value, &str) -> Result<(), Failure>,
) -> Result<(u64, u64), Failure> {
    let mut count = 0;
    let from_start = query.after == 0;
    let mut reader = EventReader::new(client, query.clone(), Format::Lines);
    loop {
        match reader.next().await {
            Ok(Some(Frame::Event(envelope, line))) => {
                count += 1;
                each(&envelope, &line)?;
            }
            Ok(Some(Frame::Delta(_))) => {}
            Ok(None) => return Ok((reader.position(), count)),
            Err(failure) => match failure.get("oldest").and_then(Value::as_u64) {
                // "From the beginning" means from what is left of it.
                Some(oldest) if from_start && reader.position() == 0 && oldest > 1 => {
                    let text = format!("events before {oldest} are no longer kept");
                    client.output.notice(&text);
                    let query = EventQuery {
                        after: oldest - 1,
                        ..query.clone()
                    };
                    reader = EventReader::new(client, query, Format::Lines);
                }
                _ => return Err(failure),
            },
        }
    }
}

fn print(output: &Output, envelope: &Value, line: &str) -> Result<(), Failure> {
    if output.is_json() {
        return output.line(line);
    }
    let text = |name: &str| envelope[name].as_str().unwrap_or_default();
    let subject = text("subject");
    let who = subject.strip_prefix("member/").unwrap_or(subject);
    let kind = text("kind");
    let tone = tone(kind, &envelope["data"]);
    // Padding counts characters, so it comes before the colour.
    let line = format!(
        "{} {} {} {}",
        output.paint(Tone::Faint, text("time")),
        output.paint(Tone::Strong, &output.foreign(&format!("{who:<16}"))),
        output.paint(tone, &output.foreign(&format!("{kind:<20}"))),
        output.foreign(&text("summary").replace('\n', " ")),
    );
    output.line(line.trim_end())
}

fn tone(kind: &str, data: &Value) -> Tone {
    match (kind, data["decision"].as_str(), data["outcome"].as_str()) {
        ("approval.requested", ..) | ("approval.decided", Some("deny"), _) => {
            return Tone::Warning;
        }
        ("approval.decided", ..) => return Tone::Good,
        ("module.stopped", _, Some("killed")) => return Tone::Bad,
        ("engine.stopped", ..) if data["next"] == "failed" => return Tone::Bad,
        ("engine.stopped", ..) if data["next"] == "restart" => return Tone::Warning,
        // The one was made good, the other is tried again.
        ("engine.gap" | "delivery.failed", ..) => return Tone::Warning,
        ("occurrence.failed", ..) if data["retry_at"].is_string() => return Tone::Warning,
        ("route.defined", ..) if data["disabled"].is_string() => return Tone::Warning,
        _ => {}
    }
    match kind.rsplit('.').next().unwrap_or_default() {
        "failed" | "quarantined" | "raised" | "dead" | "exhausted" => Tone::Bad,
        "waiting" | "unknown" | "refused" | "denied" | "cancelled" | "expired" | "missed"
        | "skipped" | "unhealthy" | "restarting" => Tone::Warning,
        "completed" | "ready" | "delivered" | "healthy" => Tone::Good,
        "log" => Tone::Faint,
        _ => Tone::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_member_is_named_with_its_noun() {
        for (text, subject) in [
            ("editor", "member/editor"),
            ("user:ada", "member/user:ada"),
            ("modules:x", "member/modules:x"),
            ("member:module:x", "member/module:x"),
            ("module:feed", "module/feed"),
            ("schedule:morning", "schedule/morning"),
            ("delivery:dlv-12", "delivery/dlv-12"),
            ("route:member:editor", "route/member:editor"),
        ] {
            assert_eq!(Object::of(text).subject(), subject);
        }
    }

    #[test]
    fn a_decision_has_the_colour_of_what_was_decided() {
        for (kind, data, expected) in [
            ("approval.requested", json!({}), Tone::Warning),
            (
                "approval.decided",
                json!({"decision": "approve"}),
                Tone::Good,
            ),
            (
                "approval.decided",
                json!({"decision": "deny"}),
                Tone::Warning,
            ),
            (
                "approval.expired",
                json!({"outcome": "denied"}),
                Tone::Warning,
            ),
            ("module.healthy", json!({}), Tone::Good),
            ("module.restarting", json!({}), Tone::Warning),
            ("module.quarantined", json!({}), Tone::Bad),
            ("module.stopped", json!({"outcome": "killed"}), Tone::Bad),
            ("module.stopped", json!({"outcome": "exited"}), Tone::Plain),
            ("engine.stopped", json!({"next": "restart"}), Tone::Warning),
            ("engine.stopped", json!({"next": "failed"}), Tone::Bad),
            ("engine.stopped", json!({"next": "stopped"}), Tone::Plain),
            ("engine.gap", json!({}), Tone::Warning),
            ("tool.unknown", json!({}), Tone::Warning),
            (
                "occurrence.failed",
                json!({"retry_at": "2026-11-22T06:00:00.000Z"}),
                Tone::Warning,
            ),
            ("occurrence.failed", json!({}), Tone::Bad),
            ("occurrence.missed", json!({}), Tone::Warning),
            ("occurrence.skipped", json!({}), Tone::Warning),
            ("occurrence.completed", json!({}), Tone::Good),
            ("delivery.failed", json!({}), Tone::Warning),
            ("delivery.unknown", json!({}), Tone::Warning),
            ("delivery.dead", json!({}), Tone::Bad),
            ("delivery.delivered", json!({}), Tone::Good),
            (
                "route.defined",
                json!({"disabled": "410 Gone"}),
                Tone::Warning,
            ),
        ] {
            assert_eq!(tone(kind, &data), expected, "{kind} {data}");
        }
    }
}
