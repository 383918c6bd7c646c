//! The table of rules, and the command that runs them.

use std::path::Path;

use super::finding::Finding;
use super::tree::Tree;
use super::{
    borders, calls, documents, graph, licences, names, proofs, reachable, sizes, sources, traces,
    width, words,
};

type Check = fn(&Tree) -> Vec<Finding>;

const RULES: &[Check] = &[
    graph::check,
    borders::check,
    sources::check,
    sizes::check,
    width::check,
    names::check,
    reachable::check,
    calls::check,
    words::check,
    traces::check,
    documents::check,
    proofs::check,
];

/// Checks the workspace in `root` and prints the findings. `Ok(false)` when there are any.
pub fn run(root: &Path, args: &[String]) -> anyhow::Result<bool> {
    anyhow::ensure!(args.is_empty(), "takes no arguments");
    let tree = Tree::read(root)?;
    let mut findings = check(&tree);
    findings.extend(licences::check(root)?);
    for finding in &findings {
        println!("{finding}");
    }
    for note in sizes::notes(&tree) {
        println!("{note}");
    }
    let rust = tree.rust().count();
    println!(
        "tidy: {} findings in {} files ({rust} of Rust)",
        findings.len(),
        tree.files().count()
    );
    Ok(findings.is_empty())
}

/// The findings of every rule that needs nothing but the files, by path and line.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(tree)).collect();
    findings.sort();
    findings
}
