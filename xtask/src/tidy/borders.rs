//! What each crate keeps out: the reason that it is a crate.

use toml::{Table, Value};

use super::finding::Finding;
use super::manifest::{Dependency, Manifest, Use, manifests};
use super::tree::Tree;

/// A dependency that belongs to some crates alone. `*` at the end stands for any ending.
struct Border {
    dependency: &'static str,
    /// Folders under `crates/`.
    only: &'static [&'static str],
    why: &'static str,
}

const BORDERS: [Border; 21] = [
    border("rusqlite", &["store"], SQL),
    border("libsqlite3-sys", &["store"], SQL),
    border("tokio-postgres", &["store"], SQL),
    border("sqlx*", &["store"], SQL),
    border("genai", &["agents"], "agents alone knows model providers"),
    border(
        "reqwest",
        &["agents", "modules", "delivery", "cli"],
        "others hand an effect to a runner",
    ),
    border("hyper*", &["gateway", "mobkit"], HTTP),
    border("axum*", &["gateway", "mobkit"], HTTP),
    border("tower-http", &["gateway"], HTTP),
    border(
        "lettre",
        &["delivery"],
        "delivery alone talks to strangers' servers",
    ),
    border("process-wrap", &["modules"], CHILDREN),
    border("landlock", &["modules"], CHILDREN),
    border("clap*", &["cli"], TERMINAL),
    border("comfy-table", &["cli"], TERMINAL),
    border("indicatif", &["cli"], TERMINAL),
    border("miette", &["cli"], TERMINAL),
    border("owo-colors", &["cli"], TERMINAL),
    border(
        "tracing-subscriber",
        &["cli"],
        "a library must not choose where logs go",
    ),
    border(
        "anyhow",
        &["cli"],
        "a library's errors are types that callers can match",
    ),
    border("rand*", &[], "chance is an argument"),
    border("uuid", &[], "ids are derived from journal positions"),
];
const SQL: &str = "store alone has SQL";
const HTTP: &str = "gateway alone has HTTP, and mobkit serves its router";
const CHILDREN: &str = "modules alone has child processes";
const TERMINAL: &str = "the command line alone draws on a terminal";

/// What the pure crate may use: libraries that do no IO, read no clock and draw no chance.
const PURE: [&str; 15] = [
    "base64",
    "croner",
    "jiff",
    "jsonschema",
    "minijinja",
    "regex",
    "schemars",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "toml",
    "toml-span",
    "unicode-segmentation",
    "url",
];

/// A crate that must differ from the workspace's lints in one place. A table of lints can't be
/// overridden in part, so it is written out and compared here.
struct OwnLints {
    folder: &'static str,
    group: &'static str,
    lint: &'static str,
    level: &'static str,
}

const OWN_LINTS: [OwnLints; 1] = [OwnLints {
    folder: "crates/modules",
    group: "rust",
    // Denied instead of forbidden, so that one file may say why it needs it.
    lint: "unsafe_code",
    level: "deny",
}];

const RULE: &str = "borders";

const fn border(
    dependency: &'static str,
    only: &'static [&'static str],
    why: &'static str,
) -> Border {
    Border {
        dependency,
        only,
        why,
    }
}

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in manifests(tree)
        .iter()
        .filter(|manifest| manifest.is_member())
    {
        let path = &manifest.file.path;
        if !manifest.has_workspace_lints() && !differs_as_it_may(tree, manifest) {
            let message = "the workspace's lints are missing; add `[lints] workspace = true`";
            findings.push(Finding::new(path, 1, RULE, message));
        }
        for dependency in &manifest.dependencies {
            let say = |message| Finding::new(path, dependency.line, RULE, message);
            findings.extend(crosses(manifest, dependency).map(say));
            if !dependency.from_workspace {
                let name = &dependency.name;
                findings.push(say(format!(
                    "the version of `{name}` stands here; move it to [workspace.dependencies]"
                )));
            }
        }
    }
    findings
}

/// Whether the crate writes the workspace's lints out with the one difference that it may have.
fn differs_as_it_may(tree: &Tree, manifest: &Manifest<'_>) -> bool {
    let own = OWN_LINTS.iter().find(|own| own.folder == manifest.folder);
    let workspace = tree
        .get("Cargo.toml")
        .and_then(|file| file.text.parse::<Table>().ok());
    let (Some(own), Some(mut workspace)) = (own, workspace) else {
        return false;
    };
    let wanted = workspace
        .get_mut("workspace")
        .and_then(|workspace| workspace.get_mut("lints"));
    let Some(Value::Table(wanted)) = wanted else {
        return false;
    };
    if let Some(Value::Table(group)) = wanted.get_mut(own.group) {
        group.insert(own.lint.to_owned(), Value::from(own.level));
    }
    manifest.lints().and_then(Value::as_table) == Some(wanted)
}

/// What is wrong with this dependency in this crate. Tests may use what the product may not, except
/// in domain, whose tests stay pure as well.
fn crosses(manifest: &Manifest<'_>, dependency: &Dependency) -> Option<String> {
    let folder = manifest.folder.strip_prefix("crates/")?;
    let name = dependency.name.as_str();
    let in_tests = dependency.used_for == Use::Tests;
    if folder == "domain" {
        let pure = PURE.contains(&name)
            || name.starts_with("mobkit")
            || in_tests && ["insta", "proptest", "tempfile"].contains(&name);
        return (!pure).then(|| {
            format!(
                "domain is pure and `{name}` isn't on its list; move the code that needs it, \
                 or show that it is pure and add it to xtask/src/tidy/borders.rs"
            )
        });
    }
    if in_tests {
        return None;
    }
    if name == "tokio" && folder != "modules" && dependency.features.iter().any(|f| f == "process")
    {
        return Some(format!(
            "the feature `process` of tokio: {CHILDREN}; remove it"
        ));
    }
    let border = BORDERS.iter().find(|border| border.names(name))?;
    (!border.only.contains(&folder)).then(|| {
        let only = if border.only.is_empty() {
            "no crate".into()
        } else {
            border.only.join(", ")
        };
        format!(
            "`{name}` belongs to {only} ({}); move the code that needs it",
            border.why
        )
    })
}

impl Border {
    fn names(&self, name: &str) -> bool {
        match self.dependency.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == self.dependency,
        }
    }
}
