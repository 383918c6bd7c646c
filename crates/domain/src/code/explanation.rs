//! One table of everything that has a name and is met in messages, logs and files.

use crate::definition;
use crate::event;

/// The rows of the codes, as they are read by people too.
const CODES: &str = include_str!("codes.md");

/// What sort of name it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// The code of a refusal or failure.
    Code,
    /// The code of a finding in a mob file.
    Finding,
    /// The kind of an event.
    Event,
    /// A table or key of the mob file, without the ids and numbers that a file gives.
    Key,
}

impl Sort {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Finding => "finding in a mob file",
            Self::Event => "event",
            Self::Key => "key of the mob file",
        }
    }
}

/// What a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Explanation {
    /// The name, e.g. `member.not_found`. One that ends with `.*` stands for all of its noun.
    pub name: &'static str,
    /// What sort of name it is.
    pub sort: Sort,
    /// What it means and why it happens.
    pub meaning: &'static str,
    /// What to do about it, or what to write there; empty where there is nothing to do.
    pub next: &'static str,
}

/// Everything that can be explained, by name. A name may be that of a code and of an event.
pub fn all() -> Vec<Explanation> {
    let codes = CODES.lines().filter_map(row);
    let findings = definition::CODES.iter().map(|(name, meaning)| Explanation {
        name,
        sort: Sort::Finding,
        meaning,
        next: "`mobkit check` shows the place in the file.",
    });
    let events = event::MEANINGS.iter().map(|(name, meaning)| Explanation {
        name,
        sort: Sort::Event,
        meaning: meaning.trim(),
        next: "",
    });
    let keys = definition::outline().iter().map(|key| Explanation {
        name: &key.name,
        sort: Sort::Key,
        meaning: &key.meaning,
        next: &key.wants,
    });
    let mut all: Vec<_> = codes.chain(findings).chain(events).chain(keys).collect();
    all.sort_unstable();
    all
}

/// What the name means: once for each sort of name that it is. Empty where nobody knows it.
pub fn explain(name: &str) -> Vec<Explanation> {
    let named = |e: &Explanation| {
        let rest = e
            .name
            .strip_suffix('*')
            .and_then(|noun| name.strip_prefix(noun));
        e.name == name || rest.is_some_and(|rest| !rest.is_empty() && !rest.contains('.'))
    };
    let mut found: Vec<_> = all().into_iter().filter(named).collect();
    // A row of its own says more than one for all of a noun.
    if found.iter().any(|e| e.name == name) {
        found.retain(|e| e.name == name);
    }
    found
}

/// A row of the table; the head of it, and text around it, are none.
fn row(line: &'static str) -> Option<Explanation> {
    let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
    let (name, meaning, next) = (cells.next()?, cells.next()?, cells.next()?);
    let is_name = name.contains(['.', '_']) && cells.next().is_none();
    is_name.then_some(Explanation {
        name,
        sort: Sort::Code,
        meaning,
        next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_explained_once_for_each_sort_of_name_that_it_is() {
        let sorts = |name| {
            explain(name)
                .into_iter()
                .map(|e| e.sort)
                .collect::<Vec<_>>()
        };
        assert_eq!(sorts("member.not_found"), [Sort::Code]);
        assert_eq!(sorts("definition.key_unknown"), [Sort::Finding]);
        assert_eq!(sorts("member.spawned"), [Sort::Event]);
        assert_eq!(sorts("turn.failed"), [Sort::Code, Sort::Event]);
        assert_eq!(sorts("modules.restart.policy"), [Sort::Key]);
        assert_eq!(sorts("http.502"), [Sort::Code]);
        assert_eq!(sorts("rpc.parse"), [Sort::Code]);
        assert!(sorts("no.such").is_empty() && sorts("http.").is_empty());
    }

    #[test]
    fn every_name_is_there_once_and_says_something() {
        let all = all();
        for pair in all.windows(2) {
            let same = (pair[0].name, pair[0].sort) == (pair[1].name, pair[1].sort);
            assert!(!same, "{}", pair[0].name);
        }
        for explanation in &all {
            assert!(explanation.meaning.ends_with('.'), "{}", explanation.name);
            let is_code = explanation.sort == Sort::Code;
            assert!(
                !is_code || explanation.next.ends_with('.'),
                "{}",
                explanation.name
            );
        }
        let rows = CODES.lines().filter(|line| line.starts_with("| ")).count();
        let codes = all.iter().filter(|e| e.sort == Sort::Code).count();
        assert_eq!(rows - 1, codes, "every row but the head is read");
    }
}
