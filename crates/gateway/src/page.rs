//! Pages of lists.

use mobkit_domain::id::Seq;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use serde_json::json;
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

/// Where a page continues. Cursors are opaque to clients.
pub(crate) fn cursor<T: FromStr>(given: Option<&str>) -> Result<Option<T>, Refusal> {
    given
        .map(|text| text.parse().map_err(|_| malformed(text)))
        .transpose()
}

/// Where a page of a table, newest first, continues; 0 is the newest.
pub(crate) fn before(given: Option<&str>) -> Result<Seq, Refusal> {
    Ok(cursor::<Seq>(given)?.unwrap_or(0))
}

fn malformed(text: &str) -> Refusal {
    let message = format!("{text:?} is not a cursor of this list");
    Refusal::new(RefusalKind::Invalid, "cursor.malformed", message)
        .hint("pass the `next_cursor` of the page before, unchanged")
        .data(json!({ "field": "cursor" }))
}
