//! Due times without a server: the calendar of an expression, and times on the clock of a zone.

use super::args::{NextArgs, NextSubject};
use crate::failure::{Exit, Failure};
use mobkit::definition::{EntryError, Schedule, schedule_of};
use mobkit::schedule::Calendar;
use mobkit::time::Time;
use serde_json::{Map, Value, json};

/// The time on the clock of a zone, with its weekday; `None` where one of them is none.
pub(super) fn local(time: &str, zone: &str) -> Option<String> {
    let at: jiff::Timestamp = time.parse().ok()?;
    // The bundled zones, as the calendar has them: the same on every machine.
    let zone = jiff::tz::TimeZoneDatabase::bundled().get(zone).ok()?;
    let at = at.to_zoned(zone);
    Some(at.strftime("%a %Y-%m-%d %H:%M:%S %Z").to_string())
}

/// The same as RFC 3339 with the offset of the zone.
pub(super) fn offset(time: &str, zone: &str) -> Option<String> {
    let at: jiff::Timestamp = time.parse().ok()?;
    let zone = jiff::tz::TimeZoneDatabase::bundled().get(zone).ok()?;
    Some(
        at.to_zoned(zone)
            .strftime("%Y-%m-%dT%H:%M:%S%:z")
            .to_string(),
    )
}

/// The id of a schedule that is described by words alone.
const NAME: &str = "described";

/// The schedule that the words describe.
pub(super) fn described(args: &NextArgs) -> Result<Schedule, Failure> {
    let NextSubject {
        cron, every, at, ..
    } = &args.subject;
    let mut entry = Map::from_iter([
        ("id".to_owned(), json!(NAME)),
        ("to".to_owned(), json!({"member": "anybody"})),
        ("message".to_owned(), json!("-")),
    ]);
    let given = [
        ("cron", cron),
        ("every", every),
        ("at", at),
        ("timezone", &args.tz),
    ];
    for (key, text) in given {
        entry.extend(
            text.clone()
                .map(|text| (key.to_owned(), Value::String(text))),
        );
    }
    schedule_of(&entry).map_err(|errors| refused(&errors))
}

fn refused(errors: &[EntryError]) -> Failure {
    let Some(first) = errors.first() else {
        return Failure::new(Exit::Usage, "schedule.times_invalid", "this is never due");
    };
    // The schedule has no name but the one that it was given here.
    let message = first.message.replace(&format!(" of schedule {NAME:?}"), "");
    let failure = Failure::new(Exit::Usage, first.code.clone(), message);
    match &first.hint {
        Some(hint) => failure.hint(hint.clone()),
        None => failure,
    }
}

/// The next `limit` due times after `after`, as RFC 3339 in UTC; fewer where there are no more.
/// An interval counts from there.
pub(super) fn upcoming(
    schedule: &Schedule,
    after: jiff::Timestamp,
    limit: u64,
) -> Result<Vec<String>, Failure> {
    let mut at = Time(after.as_millisecond());
    let calendar = Calendar::of(&schedule.trigger, &schedule.timezone, at);
    let calendar = calendar
        .map_err(|error| Failure::new(Exit::Usage, "schedule.times_invalid", error.to_string()))?;
    let mut due = Vec::new();
    while let Some(next) = calendar.next(at).filter(|_| (due.len() as u64) < limit) {
        due.push(next.to_string());
        at = next;
    }
    Ok(due)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_on_the_clock_of_a_zone() {
        let at = "2027-03-28T01:00:00.000Z";
        assert_eq!(
            local(at, "Europe/London").as_deref(),
            Some("Sun 2027-03-28 02:00:00 BST")
        );
        assert_eq!(
            offset(at, "Europe/London").as_deref(),
            Some("2027-03-28T02:00:00+01:00")
        );
        assert_eq!(local(at, "Europe/Londn"), None);
        assert_eq!(offset("soon", "UTC"), None);
    }
}
