use super::*;
use jiff::ToSpan;

fn at(text: &str) -> Time {
    Time::parse(text).expect("a time")
}

fn cron(expression: &str, zone: &str) -> Calendar {
    let trigger = Trigger::Cron(expression.to_owned());
    Calendar::of(&trigger, zone, Time(0)).expect("a calendar")
}

fn next_of(calendar: &Calendar, after: &str, count: usize) -> Vec<String> {
    let mut from = at(after);
    let mut found = Vec::new();
    while found.len() < count {
        from = calendar.next(from).expect("it is due again");
        found.push(from.to_string());
    }
    found
}

#[test]
fn a_time_that_the_clock_skips_fires_when_the_clock_goes_on() {
    let daily = cron("30 1 * * *", "Europe/London");
    // On 28 March 2027 the clock goes from 01:00 to 02:00.
    assert_eq!(
        next_of(&daily, "2027-03-27T00:00:00Z", 3),
        [
            "2027-03-27T01:30:00.000Z",
            "2027-03-28T01:00:00.000Z",
            "2027-03-29T00:30:00.000Z"
        ]
    );
}

#[test]
fn a_time_that_the_clock_shows_twice_fires_once() {
    let daily = cron("30 1 * * *", "Europe/London");
    // On 31 October 2027 the clock goes from 02:00 back to 01:00.
    assert_eq!(
        next_of(&daily, "2027-10-30T12:00:00Z", 2),
        ["2027-10-31T00:30:00.000Z", "2027-11-01T01:30:00.000Z"]
    );
    let in_second_hour = at("2027-10-31T01:10:00Z");
    assert_eq!(
        daily.previous(in_second_hour),
        Some(at("2027-10-31T00:30:00Z"))
    );
}

#[test]
fn rare_dates_are_found_at_once() {
    let leap = cron("0 0 29 2 *", "UTC");
    assert_eq!(
        next_of(&leap, "2026-11-22T00:00:00Z", 2),
        ["2028-02-29T00:00:00.000Z", "2032-02-29T00:00:00.000Z"]
    );
    assert_eq!(
        leap.previous(at("2026-11-22T00:00:00Z")),
        Some(at("2024-02-29T00:00:00Z"))
    );
    let last = cron("0 12 L * *", "UTC");
    assert_eq!(
        next_of(&last, "2027-01-31T12:00:00Z", 2),
        ["2027-02-28T12:00:00.000Z", "2027-03-31T12:00:00.000Z"]
    );
}

#[test]
fn days_of_month_and_week_are_either_or_and_seven_is_sunday() {
    let either = cron("0 0 13 * 5", "UTC");
    assert_eq!(
        next_of(&either, "2026-11-10T00:00:00Z", 3),
        [
            "2026-11-13T00:00:00.000Z",
            "2026-11-20T00:00:00.000Z",
            "2026-11-27T00:00:00.000Z"
        ]
    );
    assert_eq!(
        next_of(&either, "2026-12-11T00:00:00Z", 2),
        ["2026-12-13T00:00:00.000Z", "2026-12-18T00:00:00.000Z"]
    );
    for sunday in ["0 0 * * 7", "0 0 * * 0", "0 0 * * SUN"] {
        let found = next_of(&cron(sunday, "UTC"), "2026-11-23T00:00:00Z", 1);
        assert_eq!(found, ["2026-11-29T00:00:00.000Z"], "{sunday}");
    }
}

#[test]
fn an_interval_counts_from_its_anchor() {
    let anchor = at("2026-11-22T06:00:00Z");
    let every = Calendar::of(&Trigger::EveryMs(900_000), "UTC", anchor).expect("a calendar");
    assert_eq!(every.previous(anchor), None);
    assert_eq!(every.next(Time(0)), Some(at("2026-11-22T06:15:00Z")));
    assert_eq!(every.next(anchor), Some(at("2026-11-22T06:15:00Z")));
    assert_eq!(
        every.next(at("2026-11-22T06:15:00Z")),
        Some(at("2026-11-22T06:30:00Z"))
    );
    assert_eq!(
        every.previous(at("2026-11-22T06:29:59.999Z")),
        Some(at("2026-11-22T06:15:00Z"))
    );
}

#[test]
fn one_time_is_due_once() {
    let time = jiff::civil::date(2027, 3, 28).at(1, 30, 0, 0);
    let once = Calendar::of(&Trigger::At(time), "Europe/London", Time(0)).expect("a calendar");
    let due = at("2027-03-28T01:00:00Z");
    assert_eq!(once.next(Time(0)), Some(due));
    assert_eq!(once.next(due), None);
    assert_eq!(once.previous(due), Some(due));
    assert_eq!(once.previous(at("2027-03-28T00:59:59Z")), None);
}

/// Every due time of a cron expression in a stretch of time, by looking at each of its minutes.
///
/// A wall-clock minute is due at the first instant at which the clock has reached or passed it.
fn by_looking(cron: &Cron, zone: &TimeZone, from: Timestamp, until: Timestamp) -> Vec<Time> {
    let mut found = Vec::new();
    // The latest wall-clock time that was shown before `from`.
    let mut shown = {
        let mut latest = zone.to_datetime(from - 1.second());
        for back in 1..=(26 * 60) {
            latest = latest.max(zone.to_datetime(from - (back * 60).seconds()));
        }
        latest
    };
    let mut at = from;
    while at < until {
        let now = zone.to_datetime(at);
        let mut minute = shown;
        let mut due = false;
        // Each wall-clock second between what was shown and now is reached here.
        while minute < now {
            let next = cron.find_next_occurrence(&minute, false).expect("it fires");
            if next > now {
                break;
            }
            due = true;
            minute = next;
        }
        if due {
            found.push(Time(at.as_millisecond()));
        }
        shown = shown.max(now);
        at += 60.seconds();
    }
    found
}

#[test]
fn around_every_transition_of_every_zone_it_agrees_with_looking_at_each_minute() {
    let expressions = ["30 1 * * *", "0 * * * *", "*/20 2 * * *", "15 0,3 * * 0"];
    let crons: Vec<Cron> = expressions
        .iter()
        .map(|e| parse_cron(e).expect("cron"))
        .collect();
    let first: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    let database = TimeZoneDatabase::bundled();
    let mut transitions = 0;
    for name in database.available() {
        let zone = database.get(name.as_str()).expect("a zone");
        for transition in zone.following(first).take(2) {
            let middle = transition.timestamp();
            if middle.as_second() % 60 != 0 {
                continue;
            }
            transitions += 1;
            let (from, until) = (middle - 2.hours(), middle + 4.hours());
            for (cron, expression) in crons.iter().zip(expressions) {
                let calendar = Calendar::Cron {
                    cron: Box::new(cron.clone()),
                    zone: zone.clone(),
                };
                let expected = by_looking(cron, &zone, from, until);
                let mut found = Vec::new();
                let mut after = Time(from.as_millisecond() - 1);
                while let Some(due) = calendar.next(after)
                    && due.0 < until.as_millisecond()
                {
                    assert_eq!(calendar.previous(due), Some(due), "{name} {expression}");
                    let before = calendar.previous(Time(due.0 - 1)).expect("it was due");
                    assert!(
                        found.last().is_none_or(|last| *last == before),
                        "{name} {expression}"
                    );
                    found.push(due);
                    after = due;
                }
                assert_eq!(found, expected, "{name} {expression} around {middle}");
            }
        }
    }
    assert!(transitions > 100, "{transitions}");
}
