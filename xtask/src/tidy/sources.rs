//! Every dependency comes from the public registry of its language.

use super::finding::Finding;
use super::tree::Tree;

/// A lock file, how the line begins that names a source, and what the source must be.
struct Lock {
    name: &'static str,
    begins: &'static str,
    only: &'static [&'static str],
}

const LOCKS: [Lock; 3] = [
    Lock {
        name: "Cargo.lock",
        begins: "source = \"",
        only: &["registry+https://github.com/rust-lang/crates.io-index\""],
    },
    Lock {
        name: "package-lock.json",
        begins: "\"resolved\": \"",
        only: &["https://registry.npmjs.org/"],
    },
    Lock {
        name: "uv.lock",
        begins: "source = { ",
        only: &[
            "registry = \"https://pypi.org/simple\"",
            "editable = \"",
            "virtual = \"",
        ],
    },
];

const RULE: &str = "sources";

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        let lock = LOCKS.iter().find(|lock| lock.name == file.name());
        for (line, text) in (1..).zip(file.text.lines()) {
            let source = lock.and_then(|lock| {
                let source = text.trim().strip_prefix(lock.begins)?;
                (!lock.only.iter().any(|only| source.starts_with(only))).then_some(source)
            });
            if let Some(source) = source {
                let source = source.trim_end_matches([',', '"']);
                let message = format!("`{source}` is not the public registry; lock it again there");
                findings.push(Finding::new(&file.path, line, RULE, message));
            }
            if file.path.contains(".cargo/") && text.trim().starts_with("[source") {
                let message = "a source of one machine's cargo; keep it out of the repository";
                findings.push(Finding::new(&file.path, line, RULE, message));
            }
        }
    }
    let product = tree.get("Cargo.toml").is_some() && tree.get("Cargo.lock").is_none();
    if product {
        let message = "there is no lock file; commit the one that cargo wrote";
        findings.push(Finding::new("Cargo.lock", 1, RULE, message));
    }
    findings
}
