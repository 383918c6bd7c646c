//! `Cargo.toml` files, as far as the rules need them.

use toml::{Table, Value};

use super::tree::{File, Tree};

/// A package of the tree.
pub struct Manifest<'a> {
    /// The file itself.
    pub file: &'a File,
    /// Folder from the root, with no `/` at its end; empty for the root.
    pub folder: &'a str,
    /// The package's name.
    pub name: String,
    /// Everything it depends on.
    pub dependencies: Vec<Dependency>,
    /// Paths of targets that the manifest names, from its folder.
    pub target_paths: Vec<String>,
    table: Table,
}

/// Which of the tables a dependency stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// In the product: `dependencies` or `build-dependencies`.
    Product,
    /// `dev-dependencies`.
    Tests,
}

/// One dependency of a package.
#[derive(Debug)]
pub struct Dependency {
    /// The name of the package it names.
    pub name: String,
    /// What it is used for.
    pub used_for: Use,
    /// Whether its version comes from the workspace.
    pub from_workspace: bool,
    /// Features that this package asks for.
    pub features: Vec<String>,
    /// The line that names it, from 1.
    pub line: usize,
}

/// Every package in the tree. A manifest that doesn't parse is left to cargo.
pub fn manifests(tree: &Tree) -> Vec<Manifest<'_>> {
    tree.files()
        .filter(|file| file.name() == "Cargo.toml")
        .filter_map(read)
        .collect()
}

impl Manifest<'_> {
    /// Whether it is a member of the product's workspace.
    pub fn is_member(&self) -> bool {
        self.folder.starts_with("crates/") || self.folder == "xtask"
    }

    /// Whether its lints are the workspace's.
    pub fn has_workspace_lints(&self) -> bool {
        self.table
            .get("lints")
            .and_then(|lints| lints.get("workspace"))
            .is_some_and(|value| value.as_bool() == Some(true))
    }

    /// The lints that it writes out itself, if it does.
    pub fn lints(&self) -> Option<&Value> {
        self.table.get("lints")
    }

    /// The line of the first occurrence of `text`, or 1.
    pub fn line_of(&self, text: &str) -> usize {
        self.file
            .text
            .lines()
            .position(|line| line.contains(text))
            .map_or(1, |at| at + 1)
    }
}

fn read(file: &File) -> Option<Manifest<'_>> {
    let table: Table = file.text.parse().ok()?;
    let name = table.get("package")?.get("name")?.as_str()?.to_owned();
    let folder = file.path.strip_suffix("Cargo.toml")?.trim_end_matches('/');
    let mut dependencies = dependencies(file, &table);
    let platforms = table.get("target").and_then(Value::as_table);
    for platform in platforms
        .into_iter()
        .flat_map(Table::values)
        .filter_map(Value::as_table)
    {
        dependencies.extend(self::dependencies(file, platform));
    }
    let target_paths = target_paths(&table);
    Some(Manifest {
        file,
        folder,
        name,
        dependencies,
        target_paths,
        table,
    })
}

fn dependencies(file: &File, table: &Table) -> Vec<Dependency> {
    let mut found = Vec::new();
    for (key, used_for) in [
        ("dependencies", Use::Product),
        ("build-dependencies", Use::Product),
        ("dev-dependencies", Use::Tests),
    ] {
        let entries = table.get(key).and_then(Value::as_table);
        for (alias, value) in entries.into_iter().flatten() {
            let text = |field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
            let features = value.get("features").and_then(Value::as_array);
            found.push(Dependency {
                name: text("package").unwrap_or_else(|| alias.clone()),
                used_for,
                from_workspace: value.get("workspace").and_then(Value::as_bool) == Some(true),
                features: features
                    .into_iter()
                    .flatten()
                    .filter_map(|feature| feature.as_str().map(str::to_owned))
                    .collect(),
                line: line_of(&file.text, key, alias),
            });
        }
    }
    found
}

/// The line in table `key` that starts with `alias`, or that opens a table of its own for it.
fn line_of(text: &str, key: &str, alias: &str) -> usize {
    let mut inside = false;
    for (at, line) in text.lines().enumerate() {
        if let Some(header) = line.trim().strip_prefix('[') {
            let header = header.trim_end_matches(']');
            if header.ends_with(&format!("{key}.{alias}")) {
                return at + 1;
            }
            inside = header == key || header.ends_with(&format!(".{key}"));
        }
        let rest = line.trim().strip_prefix(alias);
        if inside && rest.is_some_and(|rest| rest.starts_with(['.', ' ', '='])) {
            return at + 1;
        }
    }
    1
}

fn target_paths(table: &Table) -> Vec<String> {
    let path = |target: &Value| {
        target
            .get("path")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let mut paths: Vec<String> = table.get("lib").and_then(path).into_iter().collect();
    for key in ["bin", "test", "example", "bench"] {
        let targets = table.get(key).and_then(Value::as_array);
        paths.extend(targets.into_iter().flatten().filter_map(path));
    }
    paths
}
