//! Durations as people type them.

use std::time::Duration;

/// Reads a whole number with `ms`, `s`, `m` or `h`; without a unit, seconds. `0` is allowed.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let unit_at = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(unit_at);
    let scale_ms: u64 = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("write a number and ms, s, m or h, e.g. 30s".to_owned()),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "write a whole number, e.g. 30s".to_owned())?;
    let ms = number
        .checked_mul(scale_ms)
        .filter(|ms| *ms <= 366 * 86_400_000);
    ms.map(Duration::from_millis)
        .ok_or_else(|| "at most a year".to_owned())
}

/// The largest unit that loses nothing, e.g. `30s`.
pub(crate) fn show(duration: Duration) -> String {
    let ms = duration.as_millis();
    match ms {
        0 => "0s".to_owned(),
        ms if ms % 3_600_000 == 0 => format!("{}h", ms / 3_600_000),
        ms if ms % 60_000 == 0 => format!("{}m", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    }
}

/// How long ago, in one unit, e.g. `3m`.
pub(crate) fn rough(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3_600 => format!("{}m", seconds / 60),
        seconds @ 3_600..86_400 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// The time that is left, as a clock counts it down, e.g. `14:59`; from an hour on in two units.
pub(crate) fn left(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..3_600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// How long ago a time was, e.g. `3m`; `None` where the text is no time. What lies ahead is now.
pub(crate) fn since(time: &str, now: jiff::Timestamp) -> Option<String> {
    let time: jiff::Timestamp = time.parse().ok()?;
    let seconds = now.as_second().saturating_sub(time.as_second());
    let seconds = u64::try_from(seconds).unwrap_or(0);
    Some(rough(Duration::from_secs(seconds)))
}

/// How long it is to a time, e.g. `14:59`; `None` where the text is no time, or it is past.
pub(crate) fn until(time: &str, now: jiff::Timestamp) -> Option<String> {
    let time: jiff::Timestamp = time.parse().ok()?;
    let ms = time.as_millisecond().checked_sub(now.as_millisecond())?;
    let ms = u64::try_from(ms).ok().filter(|ms| *ms > 0)?;
    Some(left(Duration::from_millis(ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit() {
        for (text, ms) in [
            ("30s", 30_000),
            ("500ms", 500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("5", 5_000),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "s", "-1s", "1.5s", "3 s", "99999999h", "1d"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shown_as_it_was_typed() {
        for text in ["30s", "500ms", "2m", "1h", "0s", "90s"] {
            assert_eq!(show(parse(text).expect("a duration")), text);
        }
    }

    #[test]
    fn what_is_left_is_counted_down() {
        for (seconds, text) in [
            (0, "0:00"),
            (59, "0:59"),
            (899, "14:59"),
            (3_600, "1h 0m"),
            (86_399, "23h 59m"),
            (200_000, "2d 7h"),
        ] {
            assert_eq!(left(Duration::from_secs(seconds)), text);
        }
        let now = "2026-11-22T06:00:00Z".parse().expect("a time");
        assert_eq!(until("2026-11-22T06:15:00Z", now).as_deref(), Some("15:00"));
        assert_eq!(until("2026-11-22T05:59:59Z", now), None);
        assert_eq!(since("2026-11-22T05:57:00Z", now).as_deref(), Some("3m"));
        assert_eq!(since("2026-11-22T06:00:09Z", now).as_deref(), Some("0s"));
        assert_eq!(since("soon", now), None);
    }

    #[test]
    fn ages_have_one_unit() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (7_200, "2h"),
            (200_000, "2d"),
        ] {
            assert_eq!(rough(Duration::from_secs(seconds)), text);
        }
    }
}
