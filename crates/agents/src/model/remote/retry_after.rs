//! How long a provider asks us to wait.

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// Longer waits count as this long: a day.
const WAIT_MS_MAX: u64 = 86_400_000;

/// The wait in milliseconds, from `retry-after-ms`, or from `Retry-After` in seconds or as a date
/// (RFC 9110, 10.2.3). A date is held against the answer's own `Date`, so no clock of ours matters;
/// without one it says nothing.
pub(super) fn wait_ms(headers: &HeaderMap) -> Option<u64> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let exact = text("retry-after-ms").and_then(|ms| millis(ms, 1.0));
    let after = text(RETRY_AFTER.as_str());
    exact
        .or_else(|| after.and_then(|seconds| millis(seconds, 1_000.0)))
        .or_else(|| {
            let parser = DateTimeParser::new();
            let until = parser.parse_timestamp(after?).ok()?;
            let now = parser.parse_timestamp(text(DATE.as_str())?).ok()?;
            let ms = until.as_millisecond().saturating_sub(now.as_millisecond());
            Some(u64::try_from(ms).unwrap_or(0).min(WAIT_MS_MAX))
        })
}

/// A number of `1/scale` milliseconds; `None` for what is no such number.
pub(super) fn millis(text: &str, scale: f64) -> Option<u64> {
    let number = text
        .parse::<f64>()
        .ok()
        .filter(|n| n.is_finite() && *n >= 0.0)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "finite, not negative; the cast saturates"
    )]
    let ms = (number * scale).ceil() as u64;
    Some(ms.min(WAIT_MS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn wait(headers: &[(&'static str, &'static str)]) -> Option<u64> {
        let headers = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        wait_ms(&headers.collect())
    }

    #[test]
    fn seconds_milliseconds_and_dates_are_understood() {
        assert_eq!(wait(&[("retry-after", "7")]), Some(7_000));
        assert_eq!(wait(&[("retry-after", "0.5")]), Some(500));
        assert_eq!(
            wait(&[("retry-after", "7"), ("retry-after-ms", "250")]),
            Some(250)
        );
        let now = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");
        assert_eq!(
            wait(&[now, ("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT")]),
            Some(30_000)
        );
        assert_eq!(
            wait(&[now, ("retry-after", "Wed, 21 Oct 2026 07:27:00 GMT")]),
            Some(0)
        );
    }

    #[test]
    fn what_says_nothing_is_no_wait_and_what_says_too_much_is_a_day() {
        for text in ["", "soon", "-1", "NaN", "Wed, 21 Oct 2026 07:28:30 GMT"] {
            assert_eq!(wait(&[("retry-after", text)]), None, "{text}");
        }
        assert_eq!(
            wait(&[("retry-after", "99999999999999999999")]),
            Some(86_400_000)
        );
    }
}
