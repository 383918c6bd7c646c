//! Keeping secrets that a process was given out of everything that is recorded of it.

use mobkit_domain::event::ToolDefinition;
use serde_json::Value;

/// What stands in place of a secret.
const INSTEAD: &str = "[secret]";
/// Shorter values are no secrets worth the name, and would be found everywhere.
const LEN_MIN: usize = 4;
/// Parts of a longer secret, its lines and what follows a scheme such as `Bearer`, are kept out by
/// themselves from this length on.
const PART_LEN_MIN: usize = 8;

/// The secrets of one process. A value that it has changed, e.g. encoded, is not found.
#[derive(Clone, Default)]
pub struct Redaction {
    /// Longest first, so that a secret that holds another one is found whole.
    secrets: Vec<String>,
}

impl std::fmt::Debug for Redaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redaction({})", self.secrets.len())
    }
}

impl Redaction {
    /// Keeps these values out.
    pub fn of(values: impl IntoIterator<Item = String>) -> Self {
        let mut secrets = Vec::new();
        for value in values {
            let parts = value.lines().chain(value.split_whitespace());
            let parts = parts.filter(|part| part.len() >= PART_LEN_MIN);
            secrets.extend(parts.map(str::to_owned));
            secrets.push(value);
        }
        secrets.retain(|secret| secret.len() >= LEN_MIN);
        secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.dedup();
        Self { secrets }
    }

    /// Length of the longest one, in bytes.
    pub(crate) fn len_max(&self) -> usize {
        self.secrets.first().map_or(0, String::len)
    }

    /// The text without secrets.
    pub fn text(&self, text: String) -> String {
        if !self
            .secrets
            .iter()
            .any(|secret| text.contains(secret.as_str()))
        {
            return text;
        }
        let mut clean = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((at, len)) = self.first_in(rest) {
            clean.push_str(&rest[..at]);
            clean.push_str(INSTEAD);
            rest = &rest[at + len..];
        }
        clean.push_str(rest);
        clean
    }

    /// Where the first secret is, and how long it is; of several at one place the longest.
    fn first_in(&self, text: &str) -> Option<(usize, usize)> {
        let found = self.secrets.iter().filter_map(|secret| {
            let at = text.find(secret.as_str())?;
            Some((at, secret.len()))
        });
        found.min_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)))
    }

    /// The value without secrets, keys included.
    pub(crate) fn value(&self, value: Value) -> Value {
        if self.secrets.is_empty() {
            return value;
        }
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => fields
                .into_iter()
                .map(|(key, item)| (self.text(key), self.value(item)))
                .collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }

    /// The definition of a tool without secrets.
    pub(crate) fn tool(&self, tool: ToolDefinition) -> ToolDefinition {
        ToolDefinition {
            description: self.text(tool.description),
            schema: self.value(tool.schema),
            output_schema: tool.output_schema.map(|schema| self.value(schema)),
            ..tool
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn redaction(values: &[&str]) -> Redaction {
        Redaction::of(values.iter().map(|value| (*value).to_owned()))
    }

    #[test]
    fn secrets_are_replaced_wherever_they_stand() {
        let of = redaction(&["hunter22", "hunter22-long", "abc", "secret"]);
        let text = |text: &str| of.text(text.to_owned());
        assert_eq!(text("a hunter22-long b hunter22"), "a [secret] b [secret]");
        assert_eq!(text("hunter22hunter22"), "[secret][secret]");
        assert_eq!(text("a secret, twice"), "a [secret], twice");
        assert_eq!(
            text("abc stays, it is too short"),
            "abc stays, it is too short"
        );
        let value = json!({ "k hunter22": ["x", { "y": "hunter22" }], "n": 7 });
        assert_eq!(
            of.value(value),
            json!({ "k [secret]": ["x", { "y": "[secret]" }], "n": 7 })
        );
    }

    #[test]
    fn parts_of_a_secret_are_secrets() {
        let of = redaction(&[
            "Bearer 0123456789",
            "-----BEGIN KEY-----\nMIIEvQIBADANBg\nok\n",
        ]);
        assert_eq!(of.text("token 0123456789".to_owned()), "token [secret]");
        assert_eq!(of.text("line MIIEvQIBADANBg".to_owned()), "line [secret]");
        assert_eq!(of.text("the Bearer is ok".to_owned()), "the Bearer is ok");
    }

    #[test]
    fn nothing_is_told_by_its_debug_text() {
        assert_eq!(format!("{:?}", redaction(&["hunter22"])), "Redaction(1)");
    }
}
