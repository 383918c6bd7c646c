//! The filter of every reader of events.

use super::{Envelope, KINDS, Source};
use crate::definition::nearest_name;
use serde::{Deserialize, Serialize};

/// Which events a reader wants; everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventFilter {
    /// Kinds, each whole (`turn.completed`) or by noun (`turn.*`); empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Subject, whole (`member/editor`) or by noun (`member/*`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// A filter that can match nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// No such kind.
    #[error("{kind:?} is not a kind of event")]
    KindUnknown {
        /// What was asked for.
        kind: String,
        /// A kind that it may have meant.
        suggestion: Option<&'static str>,
    },
    /// No such source.
    #[error("{source_name:?} is not a source: agent, module, runtime, operator or app")]
    SourceUnknown {
        /// What was asked for.
        source_name: String,
    },
    /// A subject is `noun/id`.
    #[error("{subject:?} is not a subject: write noun/id, e.g. member/editor, or member/*")]
    SubjectMalformed {
        /// What was asked for.
        subject: String,
    },
}

impl EventFilter {
    /// Reads a filter as query parameters give it: `kinds` separated by commas.
    pub fn parse(
        kinds: Option<&str>,
        subject: Option<&str>,
        source: Option<&str>,
    ) -> Result<Self, FilterError> {
        let kinds = kinds
            .into_iter()
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .filter(|kind| !kind.is_empty())
            .map(parse_kind)
            .collect::<Result<Vec<_>, _>>()?;
        let subject = subject
            .filter(|s| !s.is_empty())
            .map(parse_subject)
            .transpose()?;
        let source = source
            .filter(|s| !s.is_empty())
            .map(parse_source)
            .transpose()?;
        Ok(Self {
            kinds,
            subject,
            source,
        })
    }

    /// Whether an event of this kind, subject and source passes.
    pub fn matches(&self, kind: &str, subject: &str, source: Source) -> bool {
        let pattern = |wanted: &str, found: &str, separator: char| {
            wanted == found
                || wanted
                    .strip_suffix('*')
                    .is_some_and(|noun| noun.ends_with(separator) && found.starts_with(noun))
        };
        (self.kinds.is_empty() || self.kinds.iter().any(|wanted| pattern(wanted, kind, '.')))
            && self
                .subject
                .as_ref()
                .is_none_or(|wanted| pattern(wanted, subject, '/'))
            && self.source.is_none_or(|wanted| wanted == source)
    }

    /// Whether the event passes.
    pub fn passes(&self, envelope: &Envelope) -> bool {
        self.matches(envelope.event.kind(), &envelope.subject, envelope.source)
    }

    /// Whether every event passes.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }
}

fn parse_kind(kind: &str) -> Result<String, FilterError> {
    let known = match kind.strip_suffix(".*") {
        Some(noun) => KINDS.iter().any(|k| {
            k.strip_prefix(noun)
                .is_some_and(|rest| rest.starts_with('.'))
        }),
        None => KINDS.contains(&kind),
    };
    if known {
        return Ok(kind.to_owned());
    }
    let suggestion = nearest_name(kind, KINDS.iter().copied());
    Err(FilterError::KindUnknown {
        kind: kind.to_owned(),
        suggestion,
    })
}

fn parse_subject(subject: &str) -> Result<String, FilterError> {
    let well_formed = matches!(subject, "runtime" | "mob")
        || subject
            .split_once('/')
            .is_some_and(|(noun, id)| !noun.is_empty() && !id.is_empty());
    if well_formed {
        Ok(subject.to_owned())
    } else {
        Err(FilterError::SubjectMalformed {
            subject: subject.to_owned(),
        })
    }
}

fn parse_source(source: &str) -> Result<Source, FilterError> {
    serde_json::from_value(source.into()).map_err(|_| FilterError::SourceUnknown {
        source_name: source.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_given_must_hold() {
        let filter = EventFilter::parse(Some("turn.*, tool.started"), Some("member/*"), None)
            .expect("a filter");
        assert!(filter.matches("turn.completed", "member/a", Source::Agent));
        assert!(filter.matches("tool.started", "member/a", Source::Agent));
        assert!(!filter.matches("tool.finished", "member/a", Source::Agent));
        assert!(!filter.matches("turn.completed", "mob", Source::Agent));
    }

    #[test]
    fn a_misspelt_kind_is_told_the_nearest() {
        let refused = EventFilter::parse(Some("turn.complete"), None, None);
        let Err(FilterError::KindUnknown { suggestion, .. }) = refused else {
            panic!("not refused as unknown: {refused:?}")
        };
        assert_eq!(suggestion, Some("turn.completed"));
    }

    #[test]
    fn a_filter_that_can_match_nothing_is_refused() {
        assert!(EventFilter::parse(Some("turn.compleated"), None, None).is_err());
        assert!(EventFilter::parse(Some("turns.*"), None, None).is_err());
        assert!(EventFilter::parse(None, Some("editor"), None).is_err());
        assert!(EventFilter::parse(None, None, Some("human")).is_err());
    }
}
