//! The list of files and functions that may be longer than the rule says. It may only shrink.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::tree::Tree;

/// Where the list is.
pub const PATH: &str = "xtask/tidy-exceptions.txt";

/// How many entries the list has. Lower it with every entry that goes away; it never rises.
pub const ENTRIES_MAX: usize = 0;

const RULE: &str = "exceptions";

/// The list, read.
pub struct Exceptions {
    entries: BTreeMap<String, Entry>,
    findings: Vec<Finding>,
}

struct Entry {
    line: usize,
    lines_max: usize,
    used: bool,
}

impl Exceptions {
    /// Reads `path | lines | reason` per line; `#` starts a comment. A function is `path#name`.
    pub fn read(tree: &Tree, entries_max: usize) -> Self {
        let mut list = Self {
            entries: BTreeMap::new(),
            findings: Vec::new(),
        };
        let text = tree.get(PATH).map_or("", |file| file.text.as_str());
        for (line, content) in (1..).zip(text.lines()) {
            if content.trim().is_empty() || content.starts_with('#') {
                continue;
            }
            let parts: Vec<&str> = content.split('|').map(str::trim).collect();
            match (
                parts.as_slice(),
                parts.get(1).and_then(|lines| lines.parse().ok()),
            ) {
                ([path, _, reason], Some(lines_max)) if !reason.is_empty() => {
                    let entry = Entry {
                        line,
                        lines_max,
                        used: false,
                    };
                    list.entries.insert((*path).to_owned(), entry);
                }
                _ => list.find(line, "write `path | lines | reason`".to_owned()),
            }
        }
        let entries = list.entries.len();
        if entries > entries_max {
            let message = format!("{entries} entries, {entries_max} at most; split the new file");
            list.find(1, message);
        } else if entries < entries_max {
            list.find(
                1,
                format!("{entries} entries left; lower ENTRIES_MAX to {entries}"),
            );
        }
        list
    }

    /// Whether `key` may have this many lines.
    pub fn permit(&mut self, key: &str, lines: usize) -> bool {
        let Some(entry) = self.entries.get_mut(key) else {
            return false;
        };
        entry.used = true;
        let (line, lines_max) = (entry.line, entry.lines_max);
        if lines < lines_max {
            self.find(line, format!("`{key}` shrank; lower its entry to {lines}"));
        }
        lines <= lines_max
    }

    /// What is wrong with the list itself, after every file was asked for.
    pub fn findings(mut self) -> Vec<Finding> {
        let idle: Vec<(usize, String)> = self
            .entries
            .iter()
            .filter(|(_, entry)| !entry.used)
            .map(|(key, entry)| (entry.line, key.clone()))
            .collect();
        for (line, key) in idle {
            self.find(line, format!("`{key}` needs no exception; remove the line"));
        }
        self.findings
    }

    fn find(&mut self, line: usize, message: String) {
        self.findings.push(Finding::new(PATH, line, RULE, message));
    }
}
