//! Cursors and filters of readers of events.

use crate::context::store_refusal;
use crate::words::Words;
use mobkit_domain::event::{EventFilter, FilterError};
use mobkit_domain::id::Seq;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_engine::{CursorError, Engine};
use serde_json::json;

/// The cursor of a reader that wants everything that is still kept.
pub(crate) async fn oldest_cursor(engine: &Engine) -> Result<Seq, Refusal> {
    let bounds = engine.store().bounds(engine.mob()).await;
    Ok(bounds
        .map_err(|error| store_refusal(&error))?
        .oldest
        .saturating_sub(1))
}

/// How a cursor that can't be followed looks to a caller.
pub(crate) fn cursor_refusal(error: &CursorError) -> Refusal {
    match error {
        CursorError::Expired {
            after,
            oldest,
            latest,
        } => Refusal::new(RefusalKind::Gone, "cursor_expired", error.to_string())
            .hint(format!(
                "read from {} on, and take note of the gap",
                oldest - 1
            ))
            .data(json!({ "after": after, "oldest": oldest, "latest": latest })),
        CursorError::Ahead { after, latest } => {
            Refusal::new(RefusalKind::Conflict, "cursor_ahead", error.to_string())
                .hint("the cursor belongs to another mob, or to a journal that was restored")
                .data(json!({ "after": after, "latest": latest }))
        }
        CursorError::Store(error) => store_refusal(error),
    }
}

/// Reads the filter of a reader.
pub(crate) fn filter(
    kinds: Option<&Words>,
    subject: Option<&str>,
    source: Option<&str>,
) -> Result<EventFilter, Refusal> {
    let kinds = kinds.map(Words::joined);
    EventFilter::parse(kinds.as_deref(), subject, source).map_err(|error| {
        let (code, field) = match &error {
            FilterError::KindUnknown { .. } => ("filter.kind_unknown", "kinds"),
            FilterError::SourceUnknown { .. } => ("filter.source_unknown", "source"),
            FilterError::SubjectMalformed { .. } => ("filter.subject_malformed", "subject"),
        };
        let refusal = Refusal::new(RefusalKind::Invalid, code, error.to_string())
            .data(json!({ "field": field }));
        match error {
            FilterError::KindUnknown {
                suggestion: Some(kind),
                ..
            } => refusal.hint(format!("did you mean {kind:?}?")),
            FilterError::KindUnknown {
                suggestion: None, ..
            } => refusal.hint("write noun.verb, e.g. turn.completed, or all of a noun: turn.*"),
            FilterError::SourceUnknown { .. } | FilterError::SubjectMalformed { .. } => {
                refusal.hint("leave it away to read everything")
            }
        }
    })
}
