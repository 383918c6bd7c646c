//! Which of our crates may see which: one direction, and siblings never see each other.

use super::finding::Finding;
use super::manifest::{Dependency, Manifest, Use, manifests};
use super::tree::Tree;

/// A crate, and the crates of ours that it may depend on.
const MAY_SEE: [(&str, &[&str]); 11] = [
    ("mobkit-domain", &[]),
    ("mobkit-store", &["mobkit-domain"]),
    ("mobkit-engine", &["mobkit-domain", "mobkit-store"]),
    ("mobkit-agents", BELOW_RUNNERS),
    ("mobkit-modules", BELOW_RUNNERS),
    ("mobkit-delivery", BELOW_RUNNERS),
    ("mobkit-gateway", BELOW_RUNNERS),
    ("mobkit", BELOW_CLI),
    ("mobkit-cli", &["mobkit"]),
    (
        "mobkit-sim",
        &["mobkit", "mobkit-domain", "mobkit-engine", "mobkit-store"],
    ),
    ("xtask", &[]),
];
const BELOW_RUNNERS: &[&str] = &["mobkit-domain", "mobkit-store", "mobkit-engine"];
const BELOW_CLI: &[&str] = &[
    "mobkit-domain",
    "mobkit-store",
    "mobkit-engine",
    "mobkit-agents",
    "mobkit-modules",
    "mobkit-delivery",
    "mobkit-gateway",
];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in manifests(tree)
        .iter()
        .filter(|manifest| manifest.is_member())
    {
        let path = &manifest.file.path;
        let name = manifest.name.as_str();
        let Some((_, may_see)) = MAY_SEE.iter().find(|(of, _)| *of == name) else {
            let message = format!(
                "`{name}` has no place in the crate graph; \
                 give it one in xtask/src/tidy/graph.rs, or make it a module"
            );
            findings.push(Finding::new(
                path,
                manifest.line_of("name"),
                "crate-graph",
                message,
            ));
            continue;
        };
        let unseen = |dependency: &&Dependency| {
            is_ours(&dependency.name) && !sees(manifest, may_see, dependency)
        };
        for dependency in manifest.dependencies.iter().filter(unseen) {
            let message = format!(
                "`{name}` may not depend on `{}`; move the code to where it may stand, \
                 or ask for it through the engine as an effect",
                dependency.name
            );
            findings.push(Finding::new(path, dependency.line, "crate-graph", message));
        }
    }
    findings
}

fn is_ours(name: &str) -> bool {
    MAY_SEE.iter().any(|(of, _)| *of == name)
}

/// Tests of a crate may use the crate itself with other features; those of the binary see
/// everything that it is made of.
fn sees(manifest: &Manifest<'_>, may_see: &[&str], dependency: &Dependency) -> bool {
    let wanted = dependency.name.as_str();
    let in_tests = dependency.used_for == Use::Tests
        && (wanted == manifest.name
            || manifest.name == "mobkit-cli" && BELOW_CLI.contains(&wanted));
    in_tests || may_see.contains(&wanted)
}
