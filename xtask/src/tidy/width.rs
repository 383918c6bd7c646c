//! Lines of at most 100 columns.

use super::finding::Finding;
use super::tree::Tree;

const COLUMNS_MAX: usize = 100;

/// Text in literals doesn't count, and an address in a comment can't be broken.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.rust() {
        for (at, &columns) in source.columns.iter().enumerate() {
            if columns > COLUMNS_MAX && !source.comments[at].contains("://") {
                let message = format!("{columns} columns, {COLUMNS_MAX} at most; break the line");
                findings.push(Finding::new(&file.path, at + 1, "width", message));
            }
        }
    }
    findings
}
