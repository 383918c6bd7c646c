//! Pages of lists.

use mobkit_domain::id::Seq;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use serde_json::json;
use std::fmt::Display;
use std::str::FromStr;

/// How many entries a page has where nobody says.
const LIMIT: usize = 100;
/// The most entries of a page.
const LIMIT_MAX: usize = 1_000;

/// How many entries the caller wants.
pub(crate) fn limit(given: Option<u64>) -> Result<usize, Refusal> {
    let Some(given) = given else { return Ok(LIMIT) };
    match usize::try_from(given) {
        Ok(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
        _ => {
            let message = format!("a page has 1 to {LIMIT_MAX} entries, not {given}");
            Err(
                Refusal::new(RefusalKind::Invalid, "limit.out_of_range", message)
                    .data(json!({ "field": "limit" })),
            )
        }
    }
}

/// A list that is paged. Its cursors are opaque to clients and begin with its name, so that no
/// other list takes them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List(pub &'static str);

impl List {
    /// The cursor of the page after the one that ends here.
    pub fn cursor_after(self, last: impl Display) -> String {
        format!("{}:{last}", self.0)
    }

    /// Where a page continues.
    pub fn position<T: FromStr>(self, given: Option<&str>) -> Result<Option<T>, Refusal> {
        let Some(text) = given else { return Ok(None) };
        let position = text
            .strip_prefix(self.0)
            .and_then(|rest| rest.strip_prefix(':')?.parse().ok());
        position.map(Some).ok_or_else(|| malformed(text))
    }

    /// The position in the journal where a page continues; 0 where it is the first.
    pub fn seq(self, given: Option<&str>) -> Result<Seq, Refusal> {
        Ok(self.position(given)?.unwrap_or(0))
    }
}

fn malformed(text: &str) -> Refusal {
    let shown: String = text.chars().take(80).collect();
    let message = format!("{shown:?} is not a cursor of this list");
    Refusal::new(RefusalKind::Invalid, "cursor.malformed", message)
        .hint("pass the `next_cursor` of the page before, unchanged")
        .data(json!({ "field": "cursor" }))
}
