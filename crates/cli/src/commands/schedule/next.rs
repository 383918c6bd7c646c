//! `mobkit schedule next`.

use super::args::NextArgs;
use super::calendar::{described, local, offset, upcoming};
use crate::duration;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::mobfile;
use crate::terminal::{Output, Table, Tone, visible_line};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// Due times, and the zone that they are read in.
struct Upcoming {
    zone: String,
    due: Vec<String>,
}

pub(super) async fn run(args: &NextArgs, output: &Output) -> Result<Exit, Failure> {
    let found = if let Some(id) = &args.subject.id {
        of_id(id, args, output).await?
    } else {
        let schedule = described(args)?;
        let after = args.after.unwrap_or_else(environment::now);
        let due = upcoming(&schedule, after, args.limit)?;
        let zone = schedule.timezone;
        Upcoming { zone, due }
    };
    let Upcoming { zone, due } = found;
    if output.is_json() {
        let local: Vec<Value> = due.iter().map(|at| json!(offset(at, &zone))).collect();
        output.document(&json!({"due": due, "local": local, "timezone": zone}))?;
        return Ok(Exit::Done);
    }
    if due.is_empty() {
        output.notice("it is not due any more");
        return Ok(Exit::Done);
    }
    output.line(&table(output, &due, &zone, environment::now()))?;
    Ok(Exit::Done)
}

/// Asks the server; where none runs, the mob file says it.
async fn of_id(id: &str, args: &NextArgs, output: &Output) -> Result<Upcoming, Failure> {
    if let Some(file) = &args.file {
        return of_file(id, file, args.limit, output);
    }
    let unreachable = match ask(id, args, output).await {
        Err(failure) if failure.exit() == Exit::Unreachable => failure,
        result => return result,
    };
    let is_named = args
        .server
        .url
        .as_deref()
        .is_some_and(|url| !url.is_empty());
    if is_named || args.server.state.is_some() {
        return Err(unreachable);
    }
    match of_file(id, Path::new("."), args.limit, output) {
        // Neither is there: that no server runs is the one to mend.
        Err(failure) if failure.code() == "mob_file.not_found" => Err(unreachable),
        result => result.inspect(|_| output.notice("no server runs; this is what mob.toml says")),
    }
}

async fn ask(id: &str, args: &NextArgs, output: &Output) -> Result<Upcoming, Failure> {
    let client = args.server.client(output, None, Duration::ZERO)?;
    let schedule = client
        .call("schedule/get", &json!({"schedule": id}))
        .await?;
    let params = json!({"schedule": id, "n": args.limit});
    let preview = client.call("schedule/preview", &params).await?;
    if schedule["paused"] == true || schedule["enabled"] == false {
        output.notice("it is paused or disabled: it is due at these times, and does not fire");
    }
    let due = preview["due"].as_array().into_iter().flatten();
    let due = due.filter_map(|at| at.as_str().map(visible_line)).collect();
    let zone = visible_line(schedule["timezone"].as_str().unwrap_or("UTC"));
    Ok(Upcoming { zone, due })
}

fn of_file(id: &str, path: &Path, limit: u64, output: &Output) -> Result<Upcoming, Failure> {
    let file = mobfile::read(path, output)?;
    let mut schedules = file.definition.schedules.iter();
    let Some(schedule) = schedules.find(|schedule| schedule.id.as_str() == id) else {
        let message = format!("{} has no schedule {id}", file.path.display());
        let known: Vec<&str> = file
            .definition
            .schedules
            .iter()
            .map(|s| s.id.as_str())
            .collect();
        let hint = if known.is_empty() {
            "it has none; start the server to ask it".to_owned()
        } else {
            format!(
                "it has {}; others are known to the server",
                known.join(", ")
            )
        };
        return Err(Failure::new(Exit::Missing, "schedule.not_found", message).hint(hint));
    };
    let due = upcoming(schedule, environment::now(), limit)?;
    let zone = schedule.timezone.clone();
    Ok(Upcoming { zone, due })
}

fn table(output: &Output, due: &[String], zone: &str, now: jiff::Timestamp) -> String {
    let is_utc = zone == "UTC";
    let header: &[&str] = if is_utc {
        &["UTC", "IN"]
    } else {
        &[zone, "UTC", "IN"]
    };
    let mut table = Table::new(output, header);
    for at in due {
        let left = duration::until(at, now).unwrap_or_else(|| "-".to_owned());
        let utc = local(at, "UTC").unwrap_or_else(|| at.clone());
        let mut cells = vec![utc, left];
        if !is_utc {
            cells.insert(0, local(at, zone).unwrap_or_else(|| "?".to_owned()));
        }
        table.row(Tone::Plain, cells);
    }
    table.render()
}
