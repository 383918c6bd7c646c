//! Repetition with growing pauses.

use super::report::{Finding, Report};
use super::source::Node;
use serde::{Deserialize, Serialize};

/// The pause before a repetition: it starts at `min_ms`, doubles, and stays at `max_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    /// The first pause, in milliseconds.
    pub min_ms: u64,
    /// The longest pause, in milliseconds; not below `min_ms`.
    pub max_ms: u64,
}

/// How often something is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// Pauses between them.
    pub backoff: Backoff,
}

impl Node<'_> {
    /// `["200ms", "30s"]`.
    pub fn backoff(&self, cx: &mut Report<'_>) -> Option<Backoff> {
        let (min, max) = self.pair(cx, "durations, the first pause and the longest")?;
        let (min_ms, max_ms) = (min.span_ms(cx), max.span_ms(cx));
        let (min_ms, max_ms) = (min_ms?, max_ms?);
        if min_ms > max_ms {
            let message = format!("{} starts above its longest pause", self.name());
            let finding = Finding::new("backoff_invalid", &self.span, message);
            cx.error(
                finding
                    .label("the first is the longer one")
                    .hint_str("swap the two"),
            );
            return None;
        }
        Some(Backoff { min_ms, max_ms })
    }

    /// `{ attempts = 8, backoff = ["1s", "1h"] }`; `default` gives what is left out.
    pub fn retry(&self, cx: &mut Report<'_>, default: Retry) -> Option<Retry> {
        let mut table = self.table(cx)?;
        let attempts = table.read(cx, "attempts", |node, cx| node.integer(cx, 1, 1_000));
        let backoff = table.read(cx, "backoff", Node::backoff);
        table.finish(cx);
        Some(Retry {
            attempts: attempts.unwrap_or(default.attempts),
            backoff: backoff.unwrap_or(default.backoff),
        })
    }
}
