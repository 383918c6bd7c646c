//! Tool names that every provider takes.

use crate::model::seam::{Item, ModelRequest};
use std::collections::HashMap;

/// The longest name that providers take.
const LEN_MAX: usize = 64;

/// The names of the tools of one request, in both directions.
///
/// Providers take `[a-zA-Z0-9_-]{1,64}`; ours hold `:` and `/`. A name keeps its letters, so that
/// the model understands it and prompts stay the same from call to call; where two names would
/// become one, or a name is too long, a checksum of the name is added.
#[derive(Debug, Default)]
pub(crate) struct ToolNames {
    safe: HashMap<String, String>,
    ours: HashMap<String, String>,
}

impl ToolNames {
    pub(super) fn of(request: &ModelRequest) -> Self {
        let mut names = Self::default();
        for tool in &request.tools {
            names.add(&tool.name);
        }
        for item in &request.items {
            match item {
                Item::User { .. } => {}
                Item::Assistant { calls, .. } => {
                    for (_, call) in calls {
                        names.add(&call.tool);
                    }
                }
                Item::ToolResult { tool, .. } => names.add(tool),
            }
        }
        names
    }

    /// Gives a tool of ours its name for the provider, unless it has one.
    pub(crate) fn add(&mut self, name: &str) {
        if self.safe.contains_key(name) {
            return;
        }
        let mut safe: String = name
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '-' {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        if safe.is_empty() || safe.len() > LEN_MAX || self.ours.contains_key(&safe) {
            safe.truncate(LEN_MAX - 9);
            safe = format!("{safe}_{:08x}", checksum(name));
        }
        self.ours.insert(safe.clone(), name.to_owned());
        self.safe.insert(name.to_owned(), safe);
    }

    /// What the provider calls one of our tools.
    pub(crate) fn safe(&self, ours: &str) -> String {
        self.safe
            .get(ours)
            .cloned()
            .unwrap_or_else(|| ours.to_owned())
    }

    /// What we call a tool that the model named; a name that we don't know stays as it is.
    pub(crate) fn ours(&self, safe: &str) -> String {
        self.ours
            .get(safe)
            .cloned()
            .unwrap_or_else(|| safe.to_owned())
    }
}

/// FNV-1a in 32 bits: the same everywhere and always, which the standard hasher does not promise.
fn checksum(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &[&str]) -> ToolNames {
        let mut names = ToolNames::default();
        for name in of {
            names.add(name);
        }
        names
    }

    #[test]
    fn names_come_back_as_they_went() {
        let long = format!("module:search/{}", "x".repeat(80));
        let ours = [
            "module:search/fetch",
            "module_search_fetch",
            "peers",
            &long,
            "größe",
            "",
        ];
        let names = names(&ours);
        let mut seen = std::collections::HashSet::new();
        for name in ours {
            let safe = names.safe(name);
            assert!((1..=LEN_MAX).contains(&safe.len()), "{safe}");
            assert!(
                safe.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
            );
            assert_eq!(names.ours(&safe), name);
            assert!(seen.insert(safe));
        }
        assert_eq!(names.safe("module:search/fetch"), "module_search_fetch");
    }

    #[test]
    fn a_name_that_the_model_made_up_stays_as_it_is() {
        assert_eq!(names(&["peers"]).ours("no_such"), "no_such");
    }
}
