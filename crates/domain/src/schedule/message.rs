//! What a schedule says: its template, filled in.

use crate::definition::{Schedule, ScheduleTarget};
use crate::time::Time;
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, context};

/// Steps that a template may take.
const FUEL: u64 = 10_000;
/// How long a template and its outcome are at most, in bytes.
const LEN_MAX: usize = 32 * 1_024;

/// Fills a template in. The error says in one line what is wrong with it.
pub(super) fn render(
    spec: &Schedule,
    template: &str,
    due: Time,
    now: Time,
) -> Result<String, String> {
    filled(&spec.timezone, spec.id.as_str(), template, (due, now))
}

fn filled(
    timezone: &str,
    id: &str,
    template: &str,
    (due, now): (Time, Time),
) -> Result<String, String> {
    let zone = TimeZoneDatabase::bundled().get(timezone);
    let zone = zone.map_err(|_| format!("there is no time zone {timezone:?}"))?;
    let environment = environment(&zone);
    let values = context! {
        due => due.to_string(),
        now => now.to_string(),
        schedule => id,
    };
    let filled = environment.render_str(template, values);
    let filled = filled.map_err(|error| one_line(&error))?;
    if filled.len() > LEN_MAX {
        return Err(format!("it is longer than {LEN_MAX} bytes when filled in"));
    }
    Ok(filled)
}

/// What is wrong with a template that can't be filled in, and how it is done instead; `tool`: a
/// tool takes it as its arguments.
pub(crate) fn template_problem(
    timezone: &str,
    template: &str,
    tool: bool,
) -> Option<(String, &'static str)> {
    const KNOWN: &str = "it knows due, now and schedule, and the filters date, time, datetime, \
                         upper and lower";
    if template.len() > LEN_MAX {
        let hint = "say less, and where the rest can be found";
        return Some((format!("it is longer than {LEN_MAX} bytes"), hint));
    }
    match filled(timezone, "id", template, (Time::default(), Time::default())) {
        Err(problem) => Some((problem, KNOWN)),
        Ok(text) if tool => {
            let problem = arguments(Some(&text)).err()?;
            let hint = "write e.g. message = '{\"day\": \"{{ due | date }}\"}'";
            Some((format!("filled in it {problem}"), hint))
        }
        Ok(_) => None,
    }
}

/// The arguments of a tool are what the message says, as a JSON object.
pub(super) fn arguments(text: Option<&str>) -> Result<serde_json::Value, &'static str> {
    let Some(text) = text else {
        return Ok(serde_json::Value::Object(serde_json::Map::new()));
    };
    match serde_json::from_str(text) {
        Ok(args @ serde_json::Value::Object(_)) => Ok(args),
        Ok(_) | Err(_) => Err("is no JSON object, which the arguments of a tool are"),
    }
}

/// Whether a template that comes from outside the mob file can be taken.
pub(super) fn check(spec: &Schedule, template: &str) -> Result<(), String> {
    if template.trim().is_empty() {
        return Err("it says nothing".to_owned());
    }
    bounded(template)?;
    let tool = match spec.to {
        ScheduleTarget::Module { .. } => true,
        ScheduleTarget::Member(_) | ScheduleTarget::Flow(_) | ScheduleTarget::Route(_) => false,
    };
    template_problem(&spec.timezone, template, tool).map_or(Ok(()), |(problem, _)| Err(problem))
}

/// Refuses what could make a short template long: somebody else's template must not use up the
/// memory of the process, and fuel counts steps only.
fn bounded(template: &str) -> Result<(), String> {
    let mut rest = template;
    while let Some(start) = rest.find("{%") {
        let inside = rest[start + 2..]
            .trim_start_matches(['-', '+'])
            .trim_start();
        let word: String = inside
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .collect();
        if !matches!(word.as_str(), "if" | "elif" | "else" | "endif") {
            return Err(format!(
                "only if, elif and else are taken here, not {word:?}"
            ));
        }
        rest = inside;
    }
    let mut rest = template;
    while let Some(start) = rest.find(['{']) {
        let inside = &rest[start + 1..];
        if inside.starts_with(['{', '%']) {
            let end = inside[1..].find(['}']).map_or(inside.len(), |end| end + 1);
            if inside[1..end].contains(['*', '~']) {
                return Err("values can't be multiplied or joined here".to_owned());
            }
        }
        rest = inside;
    }
    Ok(())
}

fn environment(zone: &TimeZone) -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let formats = [
        ("date", "%Y-%m-%d"),
        ("time", "%H:%M"),
        ("datetime", "%Y-%m-%d %H:%M"),
    ];
    for (name, format) in formats {
        let zone = zone.clone();
        environment.add_filter(name, move |value: &Value| {
            let at = value
                .as_str()
                .and_then(|text| text.parse::<Timestamp>().ok());
            let at = at.ok_or_else(|| {
                let problem = format!("{name} wants a time such as due or now");
                Error::new(ErrorKind::InvalidOperation, problem)
            })?;
            Ok(at.to_zoned(zone.clone()).strftime(format).to_string())
        });
    }
    environment.add_filter("upper", |text: String| text.to_uppercase());
    environment.add_filter("lower", |text: String| text.to_lowercase());
    environment
}

fn one_line(error: &Error) -> String {
    let detail = error.detail();
    let text = detail.map_or_else(|| error.kind().to_string(), str::to_owned);
    text.replace('\n', " ")
}
