//! Every Rust file is compiled by somebody, and every crate has one integration binary.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::manifest::{Manifest, manifests};
use super::tree::{File, Tree};

const RULE: &str = "reachable";

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let packages = manifests(tree);
    let mut seen = BTreeSet::new();
    for manifest in &packages {
        for root in roots(tree, manifest) {
            walk(tree, &root, true, &mut seen);
        }
        findings.extend(stray_tests(tree, manifest));
        findings.extend(switched_off(manifest));
    }
    for (file, _) in tree.rust() {
        let inside = packages
            .iter()
            .any(|manifest| below(&file.path, manifest.folder).is_some());
        if inside && !seen.contains(&file.path) {
            let message = "no `mod` leads here, so it is never compiled; declare it or delete it";
            findings.push(Finding::new(&file.path, 1, RULE, message));
        }
    }
    findings
}

/// The part of `path` below `folder`.
fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    if folder.is_empty() {
        Some(path)
    } else {
        path.strip_prefix(folder)?.strip_prefix('/')
    }
}

/// The files that cargo compiles by itself.
fn roots(tree: &Tree, manifest: &Manifest<'_>) -> Vec<String> {
    let automatic = |path: &str| {
        let parts: Vec<&str> = path.split('/').collect();
        matches!(
            parts.as_slice(),
            ["build.rs"]
                | ["src", "lib.rs" | "main.rs"]
                | ["src", "bin", _]
                | ["src", "bin", _, "main.rs"]
                | ["examples" | "benches" | "tests", _]
                | ["examples" | "benches" | "tests", _, "main.rs"]
        )
    };
    let named = |path: &str| manifest.target_paths.iter().any(|target| target == path);
    tree.rust()
        .filter(|(file, _)| {
            below(&file.path, manifest.folder).is_some_and(|path| automatic(path) || named(path))
        })
        .map(|(file, _)| file.path.clone())
        .collect()
}

/// Follows the `mod x;` of a file. `is_root` says that its modules stand beside it, as they do for
/// `mod.rs`; those of any other file stand in a folder of its name.
fn walk(tree: &Tree, path: &str, is_root: bool, seen: &mut BTreeSet<String>) {
    if !seen.insert(path.to_owned()) {
        return;
    }
    let Some(file) = tree.get(path) else { return };
    let (beside, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = if is_root || name == "mod.rs" {
        beside.to_owned()
    } else {
        format!("{beside}/{}", name.trim_end_matches(".rs"))
    };
    for module in declared(file) {
        let found = match module {
            Module::At(path) => vec![normal(&format!("{beside}/{path}"))],
            Module::Named(name) => {
                vec![
                    format!("{folder}/{name}.rs"),
                    format!("{folder}/{name}/mod.rs"),
                ]
            }
        };
        for path in found.iter().filter(|path| tree.get(path).is_some()) {
            walk(tree, path, false, seen);
        }
    }
}

enum Module {
    /// `a/b` for `mod b;` inside of `mod a { … }`.
    Named(String),
    /// By a `#[path = "…"]`, from the folder of the file.
    At(String),
}

/// The modules that a file declares without a body.
fn declared(file: &File) -> Vec<Module> {
    let Some(source) = &file.rust else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut open: Vec<Option<&str>> = Vec::new();
    let mut path = None;
    for (code, text) in source.code.iter().zip(file.text.lines()) {
        if code.trim().starts_with("#[path") {
            path = text.split('"').nth(1).map(str::to_owned);
        }
        let name = code
            .split_whitespace()
            .skip_while(|word| *word != "mod")
            .nth(1);
        if let Some(name) = name.and_then(|name| name.strip_suffix(';')) {
            let inside: Vec<&str> = open.iter().flatten().copied().chain([name]).collect();
            let by_name = || Module::Named(inside.join("/"));
            found.push(path.take().map_or_else(by_name, Module::At));
        }
        let mut name = name;
        for c in code.chars() {
            match c {
                '{' => open.push(name.take()),
                '}' => drop(open.pop()),
                _ => {}
            }
        }
    }
    found
}

/// Takes `x/..` out of a path.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// Files under `tests/` beside the one integration binary.
fn stray_tests(tree: &Tree, manifest: &Manifest<'_>) -> Vec<Finding> {
    let tests = format!("{}/tests", manifest.folder);
    let mut findings = Vec::new();
    for file in tree.files().filter(|_| manifest.is_member()) {
        let Some(path) = below(&file.path, &tests) else {
            continue;
        };
        if !path.starts_with("it/") {
            let message = "a crate has one integration binary; move this below tests/it/";
            findings.push(Finding::new(&file.path, 1, RULE, message));
        }
    }
    findings
}

/// Targets whose tests the manifest switches off.
fn switched_off(manifest: &Manifest<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, text) in (1..).zip(manifest.file.text.lines()) {
        let text: String = text.split_whitespace().collect();
        if ["test=false", "autotests=false", "doctest=false"].contains(&text.as_str()) {
            let message = format!("`{text}` hides tests; remove it");
            findings.push(Finding::new(&manifest.file.path, line, RULE, message));
        }
    }
    findings
}
