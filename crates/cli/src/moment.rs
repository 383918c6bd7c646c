//! Times as people type them.

/// A time, or the beginning of a date in UTC.
pub(crate) fn moment(text: &str) -> Result<jiff::Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let date = text
        .parse::<jiff::civil::Date>()
        .ok()
        .filter(|_| !text.contains('T'));
    let begin = date.and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok());
    begin.map(|begin| begin.timestamp()).ok_or_else(|| {
        "write a time with its zone, e.g. 2027-03-01T00:00:00Z, or a date, e.g. 2027-03-01"
            .to_owned()
    })
}
