//! Code speaks of what is, not of what somebody means to do.

use super::finding::Finding;
use super::tree::{File, Tree};

/// Marks of unfinished work, as whole words in this spelling. Cut in two so that they don't find
/// themselves.
const MARKS: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    "XXX",
    "HACK",
    "WIP",
];

/// Plans, in any spelling.
const PLANS: [&str; 11] = [
    "for now",
    "not yet implemented",
    "coming soon",
    "will be added",
    "will be implemented",
    "in a later",
    "in a future",
    "later issue",
    "this issue",
    "next milestone",
    "placeholder while",
];

/// What counts as code besides Rust.
const ENDINGS: [&str; 8] = [".toml", ".sh", ".py", ".ts", ".tsx", ".css", ".yml", "/run"];

const RULE: &str = "words";

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        for (line, text) in (1..).zip(prose(file)) {
            let plain = text.to_lowercase();
            let mark = MARKS.iter().find(|mark| has_word(text, mark));
            if let Some(word) = mark.or_else(|| PLANS.iter().find(|plan| has_word(&plain, plan))) {
                let message = format!("`{word}` tells a plan; say what is true, or do it");
                findings.push(Finding::new(&file.path, line, RULE, message));
            }
        }
    }
    findings
}

/// The comments of Rust, every line of other code, nothing of the rest.
fn prose(file: &File) -> Vec<&str> {
    if let Some(source) = &file.rust {
        source.comments.iter().map(String::as_str).collect()
    } else if ENDINGS.iter().any(|ending| file.path.ends_with(ending)) {
        file.text.lines().collect()
    } else {
        Vec::new()
    }
}

fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let outside = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
        outside(text[..at].chars().next_back()) && outside(text[at + word.len()..].chars().next())
    })
}
