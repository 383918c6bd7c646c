//! Documents that name a test as a proof: the test must exist.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::tree::Tree;

const DOCUMENTS: [&str; 2] = ["docs/lessons.md", "docs/guarantees.md"];
/// A name of at least so many words is that of a test.
const WORDS_MIN: usize = 3;

pub fn check(tree: &Tree) -> Vec<Finding> {
    let tests: BTreeSet<&str> = tree
        .rust()
        .flat_map(|(file, _)| file.text.lines())
        .filter_map(test_name)
        .collect();
    let mut findings = Vec::new();
    for path in DOCUMENTS {
        let Some(file) = tree.get(path) else { continue };
        for (number, line) in (1..).zip(file.text.lines()) {
            for name in line
                .split('`')
                .skip(1)
                .step_by(2)
                .filter(|name| is_test_name(name))
            {
                if !tests.contains(name) {
                    let message = format!("there is no test `{name}`; name the one that proves it");
                    findings.push(Finding::new(path, number, "proofs", message));
                }
            }
        }
    }
    findings
}

fn is_test_name(name: &str) -> bool {
    name.split('_').count() >= WORDS_MIN
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn test_name(line: &str) -> Option<&str> {
    let rest = line.trim_start();
    let rest = rest
        .strip_prefix("async ")
        .unwrap_or(rest)
        .strip_prefix("fn ")?;
    rest.split_once('(').map(|(name, _)| name)
}
