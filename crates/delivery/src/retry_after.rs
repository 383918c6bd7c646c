//! `Retry-After`: seconds, or a date of HTTP (RFC 9110, 10.2.3).

use mobkit_domain::time::Time;

/// The longest wait that a receiver may ask for, in milliseconds: a day.
const RETRY_AFTER_MS_MAX: u64 = 86_400_000;

/// How long to wait, in milliseconds; `None` where the header says nothing of use.
pub(crate) fn retry_after_ms(value: &str, now: Time) -> Option<u64> {
    let value = value.trim();
    let ms = if let Ok(seconds) = value.parse::<u64>() {
        seconds.saturating_mul(1_000)
    } else {
        let date = jiff::fmt::rfc2822::parse(value).ok()?;
        Time(date.timestamp().as_millisecond()).since_ms(now)
    };
    Some(ms.min(RETRY_AFTER_MS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_bounded() {
        let now = Time::parse("2026-11-22T06:00:00Z").expect("a time");
        assert_eq!(retry_after_ms("120", now), Some(120_000));
        assert_eq!(retry_after_ms(" 0 ", now), Some(0));
        let date = "Sun, 22 Nov 2026 06:00:30 GMT";
        assert_eq!(retry_after_ms(date, now), Some(30_000));
        let past = "Sun, 22 Nov 2026 05:00:30 GMT";
        assert_eq!(retry_after_ms(past, now), Some(0));
        assert_eq!(retry_after_ms("99999999999999", now), Some(86_400_000));
        assert_eq!(retry_after_ms("soon", now), None);
        assert_eq!(retry_after_ms("-5", now), None);
    }
}
