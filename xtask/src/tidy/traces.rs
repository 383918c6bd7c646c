//! Nothing in the repository tells on which machine it was written.

use super::finding::Finding;
use super::tree::Tree;

/// Folders of people's machines. Cut in two so that they don't find themselves.
const FOLDERS: [&str; 4] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        for (line, text) in (1..).zip(file.text.lines()) {
            if let Some(folder) = FOLDERS.iter().find(|folder| has_path(text, folder)) {
                let message = format!("a path of one machine (`{folder}`); make it relative");
                findings.push(Finding::new(&file.path, line, "traces", message));
            }
        }
    }
    findings
}

/// Whether a path begins with `folder` here. `https://host/x` and `./x` are other things.
fn has_path(text: &str, folder: &str) -> bool {
    text.match_indices(folder).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-}*~>".contains(c))
    })
}
