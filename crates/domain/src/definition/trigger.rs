//! When a schedule is due: cron, intervals, one-shot times, time zones.

use super::report::{Finding, Report};
use super::source::{Node, Table};
use croner::Cron;
use croner::parser::{CronParser, Year};
use jiff::civil::DateTime;
use jiff::tz::TimeZoneDatabase;
use serde::{Deserialize, Serialize};

/// When a schedule is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A cron expression of five fields, or of six with seconds first.
    Cron(String),
    /// Every so many milliseconds; at least 1,000.
    EveryMs(u64),
    /// Once, at this time of the schedule's zone.
    At(DateTime),
}

/// Parses a cron expression of five fields, or of six with seconds first; the error says in words
/// what is wrong.
pub fn parse_cron(expression: &str) -> Result<Cron, String> {
    const LEN_MAX: usize = 256;
    if !expression.is_ascii() || expression.len() > LEN_MAX {
        return Err("it holds characters that no cron expression has".to_owned());
    }
    let fields = expression.split_whitespace().count();
    if expression.contains('@') {
        return Err("nicknames such as @daily are not taken".to_owned());
    }
    if !(5..=6).contains(&fields) {
        return Err(format!("it has {fields} of the five or six fields"));
    }
    let parser = CronParser::builder().year(Year::Disallowed).build();
    parser.parse(expression).map_err(|error| {
        let text = error.to_string();
        // The library's prefix says where in it the error arose, which is of no use here.
        let text = text
            .split_once(": ")
            .map_or(text.as_str(), |(_, detail)| detail);
        text.trim_end_matches('.').to_lowercase()
    })
}

/// Reads the one of `cron`, `every` and `at` that is there.
pub(super) fn read(cx: &mut Report<'_>, table: &mut Table<'_>) -> Option<Trigger> {
    let given = table.given(&["cron", "every", "at"]);
    let cron = table.read(cx, "cron", Node::cron);
    let every = table.read(cx, "every", Node::interval_ms);
    let at = table.read(cx, "at", Node::civil_time);
    if given != 1 {
        let (reason, problem) = match given {
            0 => ("trigger_missing", "has no time"),
            _ => ("trigger_ambiguous", "has more than one time"),
        };
        let finding = Finding::new(reason, &table.span, format!("{} {problem}", table.owner));
        let hint = "write one of cron = \"0 8 * * 1-5\", every = \"15m\", \
                    at = \"2026-12-01T09:00:00\"";
        cx.error(finding.label("wants one of cron, every, at").hint_str(hint));
        return None;
    }
    cron.map(Trigger::Cron)
        .or(every.map(Trigger::EveryMs))
        .or(at.map(Trigger::At))
}

impl Node<'_> {
    fn cron(&self, cx: &mut Report<'_>) -> Option<String> {
        let text = self.text(cx)?;
        let cron = match parse_cron(&text) {
            Ok(cron) => cron,
            Err(problem) => {
                let message = format!("{} is not a cron expression: {problem}", self.name());
                let finding = Finding::new("cron_invalid", &self.span, message);
                let hint = "the fields are [second] minute hour day month weekday, \
                            e.g. \"0 8 * * 1-5\"";
                cx.error(finding.label("not a cron expression").hint_str(hint));
                return None;
            }
        };
        let start = jiff::civil::date(2000, 1, 1).at(0, 0, 0, 0);
        if cron.find_next_occurrence(&start, true).is_err() {
            let message = format!("{} can never fire: {text:?}", self.name());
            let finding = Finding::new("cron_never", &self.span, message);
            cx.error(
                finding
                    .label("no date fits")
                    .hint_str("check the day and the month"),
            );
            return None;
        }
        Some(text)
    }

    fn interval_ms(&self, cx: &mut Report<'_>) -> Option<u64> {
        const INTERVAL_MIN_MS: u64 = 1_000;
        let ms = self.span_ms(cx)?;
        if ms < INTERVAL_MIN_MS {
            let message = format!("{} is too short", self.name());
            let finding = Finding::new("duration_invalid", &self.span, message);
            cx.error(finding.label("at least 1s"));
            return None;
        }
        Some(ms)
    }

    /// A local date and time.
    pub(super) fn civil_time(&self, cx: &mut Report<'_>) -> Option<DateTime> {
        let text = self.text(cx)?;
        // An offset would contradict the schedule's zone, and the parser would skip it silently.
        let has_offset = text.contains(['Z', 'z', '+', '[']) || text.matches('-').count() > 2;
        let time = text
            .parse::<DateTime>()
            .ok()
            .filter(|_| !has_offset && text.contains('T'));
        if time.is_none() {
            let message = format!("{} is not a local date and time: {text:?}", self.name());
            let finding = Finding::new("time_invalid", &self.span, message);
            let hint = "write \"2026-12-01T09:00:00\" without an offset, and the zone as \
                        timezone = \"Europe/London\"";
            cx.error(finding.label("wants YYYY-MM-DDThh:mm:ss").hint_str(hint));
        }
        time
    }

    /// The name of an IANA time zone.
    pub fn timezone(&self, cx: &mut Report<'_>) -> Option<String> {
        let text = self.text(cx)?;
        // The bundled database makes the answer the same on every machine.
        let database = TimeZoneDatabase::bundled();
        if database.get(&text).is_ok() {
            return Some(text);
        }
        let names: Vec<String> = database.available().map(|name| name.to_string()).collect();
        let last_part = |name: &str| name.rsplit('/').next().unwrap_or(name).to_lowercase();
        let same_city = names
            .iter()
            .find(|name| last_part(name) == last_part(&text));
        let near = super::suggest::nearest(&text, names.iter().map(String::as_str));
        let near = near.or(same_city.map(String::as_str));
        let hint = near.map_or_else(
            || "write an IANA name such as \"Europe/London\" or \"UTC\"".to_owned(),
            |name| format!("did you mean {name:?}?"),
        );
        let message = format!("{} is not a time zone: {text:?}", self.name());
        let finding = Finding::new("timezone_unknown", &self.span, message);
        cx.error(finding.label("no such zone").hint(hint));
        None
    }
}
