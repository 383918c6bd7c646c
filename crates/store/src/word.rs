//! The words under which records are stored and named.

use mobkit_domain::event::Source;
use mobkit_domain::row::Table;

/// All sources with their words.
const SOURCES: [(Source, &str); 5] = [
    (Source::Agent, "agent"),
    (Source::Module, "module"),
    (Source::Runtime, "runtime"),
    (Source::Operator, "operator"),
    (Source::App, "app"),
];

/// The word for a source.
pub(crate) fn of_source(source: Source) -> &'static str {
    match source {
        Source::Agent => "agent",
        Source::Module => "module",
        Source::Runtime => "runtime",
        Source::Operator => "operator",
        Source::App => "app",
    }
}

/// The source of a word.
pub(crate) fn source(word: &str) -> Option<Source> {
    SOURCES
        .iter()
        .find(|(_, known)| *known == word)
        .map(|(source, _)| *source)
}

/// The word for one row of a table.
pub(crate) fn of_row(table: Table) -> &'static str {
    match table {
        Table::Message => "message",
        Table::Turn => "turn",
        Table::Approval => "approval",
        Table::Occurrence => "occurrence",
        Table::Delivery => "delivery",
        Table::Cost => "cost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_sources_are_those_of_the_envelope() {
        for (known, word) in SOURCES {
            assert_eq!(serde_json::to_value(known).expect("a word"), word);
            assert_eq!((of_source(known), source(word)), (word, Some(known)));
        }
        assert_eq!(source("human"), None);
    }
}
