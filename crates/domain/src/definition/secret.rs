//! References to secrets, and plain settings that may be one.

use super::report::{Finding, Report};
use super::source::Node;
use super::suggest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a secret is found when it is needed. It never holds the secret itself, so it may be logged
/// and stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Secret {
    /// An environment variable of the mobkit process.
    Env(String),
    /// A file, relative to the mob file; its content without trailing line ends.
    File(String),
    /// A program and its arguments; its standard output without trailing line ends.
    Command(Vec<String>),
}

impl std::fmt::Display for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {path}"),
            Self::Command(line) => write!(f, "command {}", line.join(" ")),
        }
    }
}

/// A value for an environment or a header: plain text, or a secret by reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// The value itself.
    Text(String),
    /// Where the value is found.
    Secret(Secret),
}

impl Node<'_> {
    /// A reference to a secret. A literal is an error that shows how to write the reference; `env`
    /// is the name of an environment variable that suits the place.
    pub fn secret(&self, cx: &mut Report<'_>, env: &str) -> Option<Secret> {
        if self.str().is_some() {
            let message = format!("{} holds a secret in clear text", self.name());
            let finding = Finding::new("secret_literal", &self.span, message);
            let hint = format!(
                "put the value into an environment variable and write {{ env = \"{env}\" }}; \
                 {{ file = \"path\" }} and {{ command = [\"…\"] }} work too"
            );
            cx.error(finding.label("a reference belongs here").hint(hint));
            return None;
        }
        let mut table = self.table(cx)?;
        let name = table.read(cx, "env", |node, cx| env_name(node, cx));
        let file = table.read(cx, "file", Node::text);
        let command = table.read(cx, "command", Node::some_texts);
        let given = table.given(&["env", "file", "command"]);
        table.finish(cx);
        if given != 1 {
            let message = format!("{} must name one place where the secret is", self.name());
            let finding = Finding::new("secret_invalid", &self.span, message);
            let label = if given == 0 {
                "names no place"
            } else {
                "names more than one place"
            };
            let hint = "write { env = \"NAME\" }, { file = \"path\" } or { command = [\"…\"] }";
            cx.error(finding.label(label).hint_str(hint));
            return None;
        }
        let found = name.map(Secret::Env).or(file.map(Secret::File));
        found.or(command.map(Secret::Command))
    }

    /// Names with plain values or references to secrets. A literal under a name that says secret is
    /// an error.
    pub fn settings(
        &self,
        cx: &mut Report<'_>,
        check_name: fn(&str) -> bool,
    ) -> Option<BTreeMap<String, Setting>> {
        let mut settings = BTreeMap::new();
        let mut whole = true;
        for entry in self.table(cx)?.entries(cx) {
            if !check_name(entry.name) {
                let message = format!("{:?} is not a name for {}", entry.name, self.name());
                let finding = Finding::new("name_invalid", &entry.key_span, message);
                cx.error(finding.label("not a valid name"));
                whole = false;
                continue;
            }
            let literal = entry.node.str().is_some() && !suggest::names_secret(entry.name);
            let value = if literal {
                entry.node.any_text(cx).map(Setting::Text)
            } else {
                let env = entry.name.to_uppercase().replace('-', "_");
                entry.node.secret(cx, &env).map(Setting::Secret)
            };
            whole &= value.is_some();
            settings.extend(value.map(|value| (entry.name.to_owned(), value)));
        }
        whole.then_some(settings)
    }
}

/// Whether an environment variable may have this name.
pub(super) fn is_env_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether an HTTP header may have this name (the token of RFC 9110).
pub(super) fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

fn env_name(node: &Node<'_>, cx: &mut Report<'_>) -> Option<String> {
    let name = node.text(cx)?;
    if !is_env_name(&name) {
        // What stands here may be the secret itself, so it is not repeated.
        let message = format!("{} is not the name of an environment variable", node.name());
        let finding = Finding::new("secret_invalid", &node.span, message).label("not a name");
        cx.error(finding.hint_str("a name is A-Z, a-z, 0-9 and _, e.g. \"OPENAI_API_KEY\""));
        return None;
    }
    Some(name)
}
