//! Sizes of files and functions, and what may stand in a `lib.rs` or `mod.rs`.

use super::exceptions::{ENTRIES_MAX, Exceptions};
use super::finding::Finding;
use super::rust::Source;
use super::tree::Tree;

/// A file of more lines than this, tests not counted, fails.
const FILE_LINES_MAX: usize = 800;
/// A file of more lines than this is named, so that somebody asks why.
const FILE_LINES_ASKED: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

pub fn check(tree: &Tree) -> Vec<Finding> {
    check_with(tree, ENTRIES_MAX)
}

/// [`check`], with the length of the exception list as an argument.
pub fn check_with(tree: &Tree, entries_max: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut exceptions = Exceptions::read(tree, entries_max);
    for (file, source) in tree.rust() {
        let path = &file.path;
        let lines = source.lines_net();
        if !file.is_test() && lines > FILE_LINES_MAX && !exceptions.permit(path, lines) {
            let message = format!(
                "{lines} lines net of tests, {FILE_LINES_MAX} at most; split it by subject"
            );
            findings.push(Finding::new(path, 1, "file-size", message));
        }
        for function in &source.functions {
            let (name, lines) = (&function.name, function.lines);
            if lines > FUNCTION_LINES_MAX && !exceptions.permit(&format!("{path}#{name}"), lines) {
                let message = format!(
                    "`{name}` has {lines} lines, {FUNCTION_LINES_MAX} at most; split it by step"
                );
                findings.push(Finding::new(path, function.line, "function-size", message));
            }
        }
        if ["lib.rs", "mod.rs"].contains(&file.name()) {
            findings.extend(items(path, source));
        }
    }
    findings.extend(exceptions.findings());
    findings
}

/// Files that are long but not too long.
pub fn notes(tree: &Tree) -> Vec<String> {
    let long = tree.rust().filter(|(file, source)| {
        !file.is_test() && (FILE_LINES_ASKED + 1..=FILE_LINES_MAX).contains(&source.lines_net())
    });
    long.map(|(file, source)| {
        let lines = source.lines_net();
        format!(
            "{}:1: note: {lines} lines net of tests; is it one subject?",
            file.path
        )
    })
    .collect()
}

/// Items with a body or fields at the top level. Constants, type names and
/// macros may stand here.
fn items(path: &str, source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut depth = 0_i32;
    for (at, line) in source.code.iter().enumerate() {
        if depth == 0
            && !source.in_tests[at]
            && let Some(word) = defines(line)
        {
            let message = format!(
                "`{word}` in a file that only declares and re-exports; \
                     move it to a file named by its subject"
            );
            findings.push(Finding::new(path, at + 1, "declares-only", message));
        }
        for c in line.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
        }
    }
    findings
}

/// The keyword of a definition that starts in this line.
fn defines(line: &str) -> Option<&str> {
    const PREFIXES: [&str; 5] = ["pub", "async", "unsafe", "const", "extern"];
    const KEYWORDS: [&str; 6] = ["fn", "struct", "enum", "union", "trait", "impl"];
    line.split(|c: char| c.is_whitespace() || "(<".contains(c))
        .filter(|word| !word.is_empty())
        .find(|word| !PREFIXES.contains(word) && !word.ends_with(')'))
        .filter(|word| KEYWORDS.contains(word))
}
