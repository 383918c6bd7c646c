//! The lists, and the check of what cargo says is built.

use std::collections::BTreeSet;
use std::path::Path;

use super::expression::is_met;
use crate::step;
use crate::tidy::finding::Finding;

/// Licences that ask for nothing but their notice. `deny.toml` has the same list.
const ALLOWED: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates that must not come in, by whichever way: a second TLS, a second crypto, a second SQLite.
const BANNED: [(&str, &str); 6] = [
    ("openssl", "rustls"),
    ("openssl-sys", "rustls"),
    ("native-tls", "rustls"),
    ("ring", "aws-lc-rs"),
    ("sqlx-sqlite", "rusqlite"),
    ("libsql-ffi", "rusqlite"),
];

const RULE: &str = "licences";

/// Asks cargo for the packages of this platform's build, tests included.
///
/// Fails when cargo can't answer, as when the lock file is out of date.
pub fn check(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let listing = step::output_of(
        root,
        &[
            "cargo",
            "tree",
            "--workspace",
            "--locked",
            "--edges=normal,build,dev",
            "--prefix=none",
            "--format={p}\t{l}",
        ],
    )?;
    Ok(check_listing(&listing))
}

/// Checks lines of `name version …`, a tab, a licence expression.
fn check_listing(listing: &str) -> Vec<Finding> {
    let packages: BTreeSet<(&str, &str)> = listing
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(package, licence)| (package, licence.trim_end_matches(" (*)").trim()))
        .collect();
    let mut findings = Vec::new();
    for (package, licence) in packages {
        let mut words = package.split_whitespace();
        let name = words.next().unwrap_or_default();
        let version = words.next().unwrap_or_default();
        if !is_met(licence, &|wanted| ALLOWED.contains(&wanted)) {
            let licence = if licence.is_empty() { "none" } else { licence };
            let message = format!(
                "`{name}` {version} has licence `{licence}`, which is not on the list; \
                 choose another crate (`cargo tree -i {name}` says who wants it)"
            );
            findings.push(Finding::new("Cargo.lock", 1, RULE, message));
        }
        if let Some((_, instead)) = BANNED.iter().find(|(banned, _)| *banned == name) {
            let message = format!(
                "`{name}` {version} must stay out; use {instead} \
                 (`cargo tree -i {name}` says who wants it)"
            );
            findings.push(Finding::new("Cargo.lock", 1, RULE, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{ALLOWED, BANNED, check_listing};

    #[test]
    fn a_licence_off_the_list_and_a_banned_crate_are_found() {
        let listing = "mobkit v0.1.0 (folder)\tMIT OR Apache-2.0\n\
                       good v1.0.0\tMIT/Apache-2.0 (*)\n\
                       bad v1.0.0\tGPL-3.0\n\
                       bad v1.0.0\tGPL-3.0 (*)\n\
                       silent v2.0.0\t\n\
                       openssl-sys v0.9.0\tMIT\n";
        let found = check_listing(listing);
        let starts: Vec<&str> = found
            .iter()
            .map(|f| f.message.split('`').nth(1).unwrap_or_default())
            .collect();
        assert_eq!(starts, ["bad", "openssl-sys", "silent"]);
    }

    #[test]
    fn deny_toml_says_the_same() {
        let text = include_str!("../../../../deny.toml");
        let table: toml::Table = text.parse().expect("deny.toml is TOML");
        let allow = table["licenses"]["allow"].as_array().expect("a list");
        let allow: Vec<_> = allow.iter().filter_map(toml::Value::as_str).collect();
        assert_eq!(allow, ALLOWED);
        let deny = table["bans"]["deny"].as_array().expect("a list");
        for (name, instead) in BANNED {
            let same = |entry: &&toml::Value| {
                entry["crate"].as_str() == Some(name)
                    && entry.get("use-instead").and_then(toml::Value::as_str) == Some(instead)
            };
            assert!(deny.iter().any(|entry| same(&entry)), "{name}");
        }
    }
}
