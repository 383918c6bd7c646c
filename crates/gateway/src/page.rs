//! Pages of lists.

use mobkit_domain::id::Seq;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use std::fmt::Display;
use std::ops::Bound;
use std::str::FromStr;

/// How many entries a page has where nobody says.
const LIMIT: usize = 100;
/// The most entries of a page.
const LIMIT_MAX: usize = 1_000;

/// What the caller of a list without filters says.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    pub cursor: Option<String>,
    pub limit: Option<u64>,
}

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

    /// From where a map is read for a page.
    pub fn from<T: FromStr>(self, given: Option<&str>) -> Result<Bound<T>, Refusal> {
        let position = self.position(given)?;
        Ok(position.map_or(Bound::Unbounded, Bound::Excluded))
    }

    /// Cuts a page off what was found, which is one more than its limit where there is another
    /// page; returns the cursor of that. `position` says where an entry stands in the list.
    pub fn cut<T>(
        self,
        found: &mut Vec<T>,
        limit: usize,
        position: impl FnOnce(&T) -> &dyn Display,
    ) -> Option<String> {
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more)?;
        Some(self.cursor_after(position(last)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::RangeBounds;

    const PAGES: List = List("number");

    #[test]
    fn the_pages_of_a_list_meet_without_a_gap_or_a_double() {
        for limit in 1..=6 {
            let (mut all, mut cursor) = (Vec::new(), None);
            loop {
                let from = PAGES
                    .from::<u64>(cursor.as_deref())
                    .expect("its own cursor");
                let numbers = (1..=5_u64).filter(|n| (from, Bound::Unbounded).contains(n));
                let mut found: Vec<u64> = numbers.take(limit + 1).collect();
                cursor = PAGES.cut(&mut found, limit, |last| last);
                assert!(found.len() <= limit);
                all.extend(found);
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(all, [1, 2, 3, 4, 5], "{limit}");
        }
    }

    #[test]
    fn the_cursor_of_another_list_is_refused() {
        let refusal = PAGES
            .from::<u64>(Some("letter:1"))
            .expect_err("not its own");
        assert_eq!(refusal.code, "cursor.malformed");
        assert!(refusal.hint.is_some());
    }
}
