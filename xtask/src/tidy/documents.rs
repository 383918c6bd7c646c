//! Documents that must stay short enough to be read.

use super::finding::Finding;
use super::tree::Tree;

const LIMITS: [(&str, usize); 1] = [("ARCHITECTURE.md", 150)];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let long = LIMITS.iter().filter_map(|&(path, lines_max)| {
        let lines = tree.get(path)?.text.lines().count();
        let message = format!("{lines} lines, {lines_max} at most; move detail to docs/");
        (lines > lines_max).then(|| Finding::new(path, lines_max + 1, "documents", message))
    });
    long.collect()
}
