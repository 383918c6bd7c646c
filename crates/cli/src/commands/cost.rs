//! `mobkit cost`.

use crate::client::ServerArgs;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::moment::moment;
use crate::terminal::{Output, Table, Tone, visible_line};
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct CostArgs {
    /// What the calls are put together by
    #[arg(long, default_value = "member",
          value_parser = ["member", "model", "profile", "day", "schedule", "turn"])]
    by: String,
    /// Only what was called today, a day of UTC
    #[arg(long, conflicts_with_all = ["from", "until"])]
    today: bool,
    /// Only from this time on, e.g. 2026-11-22T06:00:00Z; a date is its beginning in UTC
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<jiff::Timestamp>,
    /// Only before this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<jiff::Timestamp>,
    /// Only what this member called, which may have left
    #[arg(long, value_name = "MEMBER")]
    member: Option<String>,
    /// At most so many lines; the others are summed up in one
    #[arg(short = 'n', long = "limit", value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u64).range(1..=1_000))]
    limit: u64,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: &CostArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.server.client(output, None, Duration::ZERO)?;
    let mut params = json!({"by": args.by, "limit": args.limit});
    let from = if args.today {
        Some(day_of(environment::now()))
    } else {
        args.from
    };
    for (name, time) in [("from", from), ("until", args.until)] {
        if let Some(time) = time {
            params[name] = json!(time.to_string());
        }
    }
    if let Some(member) = &args.member {
        params["member"] = json!(member);
    }
    let summary = client.call("cost/summary", &params).await?;
    if output.is_json() {
        output.document(&summary)?;
        return Ok(Exit::Done);
    }
    if summary["total"]["calls"] == 0 {
        output.notice("no model was called; a member calls one for each message that it gets");
        return Ok(Exit::Done);
    }
    output.line(&table(output, &summary))?;
    if summary["total"]["unpriced_calls"].as_u64() != Some(0) {
        output.notice(
            "calls without a price are in no sum; add price = { input = …, output = … } to their \
             [models.…]",
        );
    }
    if summary["rehearsal"] == true {
        output.notice("rehearsal: a script answered, and its words were counted as tokens");
    }
    Ok(Exit::Done)
}

/// The beginning of the day in UTC.
fn day_of(now: jiff::Timestamp) -> jiff::Timestamp {
    let day = now.as_second().div_euclid(86_400) * 86_400;
    jiff::Timestamp::from_second(day).expect("an earlier time than now is one, too")
}

fn table(output: &Output, summary: &Value) -> String {
    let by = summary["by"].as_str().unwrap_or("member");
    let header = [&by.to_uppercase(), "CALLS", "IN", "CACHED", "OUT", "COST"];
    let mut table = Table::with_text(output, &header, 0);
    for group in summary["groups"].as_array().into_iter().flatten() {
        let name = group[by].as_str().map(visible_line);
        let name = name.unwrap_or_else(|| format!("(no {by})"));
        table.row(Tone::Plain, cells(name, group));
    }
    if summary["others"].is_object() {
        let others = &summary["others"];
        let name = format!("({} others)", others["groups"]);
        table.row(Tone::Faint, cells(name, others));
    }
    table.row(Tone::Good, cells("total".to_owned(), &summary["total"]));
    table.render()
}

fn cells(name: String, sum: &Value) -> Vec<String> {
    let count = |field: &str| sum[field].as_u64().unwrap_or_default().to_string();
    vec![
        name,
        count("calls"),
        count("input_tokens"),
        count("cached_input_tokens"),
        count("output_tokens"),
        cost(sum),
    ]
}

/// What it cost, to the millionth of a dollar; where a call has no price, at least that.
fn cost(sum: &Value) -> String {
    let unpriced = match sum["unpriced_calls"].as_u64().unwrap_or_default() {
        0 => None,
        1 => Some("1 call".to_owned()),
        calls => Some(format!("{calls} calls")),
    };
    match (sum["cost_nano_usd"].as_u64(), unpriced) {
        (Some(nano), None) => dollars(nano),
        (Some(nano), Some(calls)) => format!("≥ {}, {calls} unpriced", dollars(nano)),
        (None, Some(calls)) => format!("unpriced ({calls})"),
        (None, None) => "unpriced".to_owned(),
    }
}

/// Billionths of a dollar, rounded to millionths.
fn dollars(nano: u64) -> String {
    let micro = nano.saturating_add(500) / 1_000;
    format!("${}.{:06}", micro / 1_000_000, micro % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Show;

    fn sum(calls: u64, unpriced: u64, nano: Option<u64>) -> Value {
        json!({"calls": calls, "unpriced_calls": unpriced, "input_tokens": calls * 100,
            "cached_input_tokens": 7, "output_tokens": calls * 10, "cost_nano_usd": nano})
    }

    fn named(by: &str, name: &Value, mut sum: Value) -> Value {
        sum[by] = name.clone();
        sum
    }

    #[test]
    fn a_table_says_what_cost_most_and_never_that_something_was_free() {
        let output = Output::new(&Show::default(), |_| None);
        let mut others = sum(1, 0, Some(1_499));
        others["groups"] = json!(1);
        let summary = json!({"by": "schedule", "total": sum(16, 4, Some(1_234_567_890)), "groups": [
            named("schedule", &json!("morning\u{1b}[2J"), sum(11, 0, Some(1_234_566_391))),
            named("schedule", &json!("noon"), sum(3, 3, None)),
            named("schedule", &Value::Null, sum(1, 1, None)),
        ], "others": others});
        insta::assert_snapshot!(table(&output, &summary), @r"
        SCHEDULE          CALLS  IN    CACHED  OUT  COST
        morning\u001b[2J  11     1100  7       110  $1.234566
        noon              3      300   7       30   unpriced (3 calls)
        (no schedule)     1      100   7       10   unpriced (1 call)
        (1 others)        1      100   7       10   $0.000001
        total             16     1600  7       160  ≥ $1.234568, 4 calls unpriced
        ");
    }

    #[test]
    fn a_day_begins_at_midnight_of_utc() {
        let time = |text: &str| text.parse::<jiff::Timestamp>().expect("a time");
        let day = day_of(time("2026-11-22T23:59:59.999Z"));
        assert_eq!(day, time("2026-11-22T00:00:00Z"));
        assert_eq!(day_of(day), day);
    }
}
