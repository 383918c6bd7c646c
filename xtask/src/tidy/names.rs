//! Names of files and modules say what is in them.

use super::finding::Finding;
use super::tree::Tree;

/// Say nothing about the subject.
const EMPTY: [&str; 7] = [
    "util", "utils", "helper", "helpers", "common", "manager", "misc",
];
/// Say something about the past of the code.
const HISTORY: [&str; 6] = ["new", "old", "legacy", "real", "unified", "v2"];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.rust() {
        let parts = file.path.trim_end_matches(".rs").split('/');
        if let Some((part, why)) = parts
            .into_iter()
            .find_map(|part| Some((part, refuse(part)?)))
        {
            findings.push(finding(&file.path, 1, part, why));
        }
        for (at, line) in source.code.iter().enumerate() {
            if let Some((name, why)) = module(line).and_then(|name| Some((name, refuse(name)?))) {
                findings.push(finding(&file.path, at + 1, name, why));
            }
        }
    }
    findings
}

fn finding(path: &str, line: usize, name: &str, why: &str) -> Finding {
    let message = format!("`{name}` {why}; name it by a noun or verb of the domain");
    Finding::new(path, line, "names", message)
}

fn refuse(name: &str) -> Option<&'static str> {
    if EMPTY.contains(&name) {
        Some("says nothing about the subject")
    } else if HISTORY.contains(&name) {
        Some("tells the history of the code")
    } else {
        None
    }
}

/// The name of an inline module that opens in this line. One in a file is seen by its path.
fn module(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("mod ")?;
    if !before.is_empty() && !before.ends_with([' ', ')']) {
        return None;
    }
    let (name, _) = after.split_once('{')?;
    Some(name.trim())
}
