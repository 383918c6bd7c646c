//! Every code that the program can say has an explanation, and no other has.

use crate::program::Place;
use mobkit::code::{Sort, all};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Names with a dot in the sources that are no codes: a protocol, and places in a mob file.
const OTHERS: [&str; 4] = [
    "mobkit.rpc",
    "server.listen",
    "store.kind",
    "store.retention",
];
/// What the names of files end with.
const EXTENSIONS: [&str; 9] = [
    "toml", "json", "db", "sh", "cfg", "token", "md", "pdf", "sql",
];

/// The sources of the product, without their tests.
fn sources() -> Vec<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut texts = Vec::new();
    let mut open: Vec<PathBuf> = std::fs::read_dir(crates)
        .expect("the crates")
        .map(|entry| entry.expect("an entry").path().join("src"))
        .collect();
    while let Some(path) = open.pop() {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or_default();
        if path.is_dir() && !matches!(name, "tests" | "conformance") {
            let entries = std::fs::read_dir(&path).expect("a folder");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|end| end == "rs") && name != "tests.rs" {
            let text = std::fs::read_to_string(&path).expect("text");
            let product = text.split("#[cfg(test)]\nmod tests {").next();
            texts.push(product.unwrap_or_default().to_owned());
        }
    }
    texts
}

/// Whether a literal is written as a code: `noun.reason`.
fn is_code(literal: &str) -> bool {
    let Some((noun, reason)) = literal.split_once('.') else {
        return false;
    };
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    is_word(noun) && is_word(reason) && !EXTENSIONS.contains(&reason) && !OTHERS.contains(&literal)
}

#[test]
fn every_code_in_the_sources_is_explained_and_no_other() {
    let mut found = BTreeSet::from(["cursor_ahead", "cursor_expired", "http.*", "rpc.*"]);
    let sources = sources();
    for text in &sources {
        found.extend(text.split('"').filter(|literal| is_code(literal)));
    }
    assert!(found.len() > 300, "the sources were read: {}", found.len());
    let all = all();
    let explained: BTreeSet<&str> = all.iter().map(|e| e.name).collect();
    let missing: Vec<_> = found.difference(&explained).collect();
    assert!(
        missing.is_empty(),
        "write a row in crates/domain/src/code/codes.md for {missing:?}"
    );
    let codes = all.iter().filter(|e| e.sort == Sort::Code).map(|e| e.name);
    let stale: Vec<_> = codes.filter(|code| !found.contains(code)).collect();
    assert!(stale.is_empty(), "nothing says {stale:?} any more");
}

#[test]
fn what_is_explained_says_what_and_the_next_step() {
    let place = Place::empty();
    for name in ["member.not_found", "error[member.not_found]:"] {
        let run = place.run(&["explain", name]);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.stdout.contains("has no member of this id"), "{run:?}");
        assert!(run.stdout.contains("`mobkit ps`"), "{run:?}");
    }
    let run = place.run(&["explain", "turn.failed", "--json"]);
    let explanations = run.document()["explanations"].clone();
    assert_eq!(explanations.as_array().map(Vec::len), Some(2), "{run:?}");
    let run = place.run(&["explain", "modules.restart.policy"]);
    assert!(run.stdout.contains("After which ends."), "{run:?}");
    let wanted = "One of \"always\", \"on-failure\", \"never\"; \"on-failure\" where absent.";
    assert!(run.stdout.contains(wanted), "{run:?}");
    let run = place.run(&["explain", "member.notfound"]);
    assert_eq!(run.code, 4);
    assert!(
        run.stderr.contains("did you mean member.not_found?"),
        "{run:?}"
    );
}
