//! In which form a reader wants a stream.

use crate::stream::Form;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use mobkit_domain::refusal::{Refusal, RefusalKind};

/// How events travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Server-sent events (WHATWG HTML, section 9.2).
    Sse,
    /// One JSON document per line.
    Lines,
}

impl From<Format> for Form {
    fn from(format: Format) -> Self {
        match format {
            Format::Sse => Self::Sse,
            Format::Lines => Self::Lines,
        }
    }
}

impl Format {
    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Sse => "text/event-stream",
            Self::Lines => "application/x-ndjson",
        }
    }

    /// The first form of the `Accept` header that is offered; server-sent events without one.
    pub fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut accepted = headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let Some(first) = accepted.next() else {
            return Ok(Self::Sse);
        };
        let ranges = std::iter::once(first)
            .chain(accepted)
            .flat_map(|value| value.split(','));
        let mut names = ranges.map(|range| range.split(';').next().unwrap_or_default().trim());
        names.find_map(Self::of_media_range).ok_or_else(|| {
            let message = "events are offered as text/event-stream and application/x-ndjson";
            Refusal::new(RefusalKind::Invalid, "request.not_acceptable", message)
        })
    }

    fn of_media_range(range: &str) -> Option<Self> {
        match range.to_ascii_lowercase().as_str() {
            "text/event-stream" | "text/*" | "*/*" | "" => Some(Self::Sse),
            "application/x-ndjson" | "application/ndjson" | "application/*" => Some(Self::Lines),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_first_form_that_is_offered_wins() {
        let format = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            Format::of(&headers).ok()
        };
        assert_eq!(Format::of(&HeaderMap::new()), Ok(Format::Sse));
        assert_eq!(format("*/*"), Some(Format::Sse));
        assert_eq!(
            format("text/html, application/x-ndjson;q=0.9"),
            Some(Format::Lines)
        );
        assert_eq!(format("text/event-stream"), Some(Format::Sse));
        assert_eq!(format("text/html"), None);
    }
}
