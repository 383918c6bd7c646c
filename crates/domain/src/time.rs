//! Points in time and spans, as the journal holds them.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z. As text: RFC 3339 in UTC with
/// milliseconds. Time never decides order; journal positions do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub i64);

impl Time {
    /// The point `ms` milliseconds later; saturates at the ends of the range.
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)))
    }

    /// Milliseconds from `earlier` to here; 0 where `earlier` is later.
    pub fn since_ms(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// The local date and time of an IANA zone, to the second; in UTC where there is no such zone.
    pub fn on_clocks_of(self, timezone: &str) -> String {
        let zone = jiff::tz::TimeZoneDatabase::bundled().get(timezone);
        let at = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        let local = at.to_zoned(zone.unwrap_or(jiff::tz::TimeZone::UTC));
        local.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Reads RFC 3339 with any offset.
    pub fn parse(text: &str) -> Result<Self, jiff::Error> {
        text.parse::<jiff::Timestamp>()
            .map(|t| Self(t.as_millisecond()))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => write!(f, "{t:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// Reads a span as the mob file writes it: a whole number and `ms`, `s`, `m`, `h` or `d`.
///
/// Returns milliseconds; `None` for anything else, for zero, and past ten years.
pub fn parse_span_ms(text: &str) -> Option<u64> {
    const TEN_YEARS_MS: u64 = 3_653 * 86_400_000;
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at(unit_at);
    let scale = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let ms = digits.parse::<u64>().ok()?.checked_mul(scale)?;
    (1..=TEN_YEARS_MS).contains(&ms).then_some(ms)
}

/// Writes a span as the mob file has it, in the largest unit that leaves no rest: the reverse of
/// [`parse_span_ms`].
pub fn span_text(ms: u64) -> String {
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1_000, "s"),
    ];
    let whole = units
        .iter()
        .find(|(scale, _)| ms > 0 && ms.is_multiple_of(*scale));
    whole.map_or_else(
        || format!("{ms}ms"),
        |(scale, unit)| format!("{}{unit}", ms / scale),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_rfc_3339_with_milliseconds() {
        let t = Time(1_763_791_200_123);
        assert_eq!(t.to_string(), "2025-11-22T06:00:00.123Z");
        assert_eq!(Time::parse("2025-11-22T06:00:00.123Z").ok(), Some(t));
        assert_eq!(Time::parse("2025-11-22T07:00:00.123+01:00").ok(), Some(t));
        assert_eq!(Time(0).to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn spans_are_a_number_and_a_unit() {
        assert_eq!(parse_span_ms("200ms"), Some(200));
        assert_eq!(parse_span_ms("5m"), Some(300_000));
        for bad in ["", "5", "m", "0s", "1.5h", "-3s", "99999999999d", "5 m"] {
            assert_eq!(parse_span_ms(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_span_is_written_as_it_is_read() {
        let spans = [
            (200, "200ms"),
            (1_500, "1500ms"),
            (90_000, "90s"),
            (300_000, "5m"),
        ];
        for (ms, text) in spans
            .into_iter()
            .chain([(43_200_000, "12h"), (172_800_000, "2d")])
        {
            assert_eq!(span_text(ms), text);
            assert_eq!(parse_span_ms(text), Some(ms));
        }
    }
}
