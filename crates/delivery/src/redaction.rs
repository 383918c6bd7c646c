//! Keeping out of what is recorded what only the receiver should know: it may repeat it.

/// What stands in place of a secret.
const INSTEAD: &str = "[secret]";
/// Shorter values would be found in every text.
const LEN_MIN: usize = 4;
/// Parts of a longer secret, such as what follows `Bearer`, count by themselves from this length
/// on.
const PART_LEN_MIN: usize = 8;

/// What one sink keeps to itself.
#[derive(Default)]
pub(crate) struct Redaction {
    /// Longest first, so that one that holds another one is found whole.
    secrets: Vec<String>,
}

impl Redaction {
    /// Keeps these values out.
    pub(crate) fn of(values: impl IntoIterator<Item = String>) -> Self {
        let mut secrets = Vec::new();
        for value in values {
            let parts = value
                .split_whitespace()
                .filter(|part| part.len() >= PART_LEN_MIN);
            secrets.extend(parts.map(str::to_owned));
            secrets.push(value);
        }
        secrets.retain(|secret| secret.len() >= LEN_MIN);
        secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.dedup();
        Self { secrets }
    }

    /// The text without secrets.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for secret in &self.secrets {
            clean = clean.replace(secret, INSTEAD);
        }
        clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_their_parts_are_replaced() {
        let values = ["Bearer 0123456789", "hunter2", "hunter2-long", "abc", ""];
        let of = Redaction::of(values.map(str::to_owned));
        assert_eq!(of.text("token 0123456789!"), "token [secret]!");
        assert_eq!(of.text("hunter2-long, hunter2"), "[secret], [secret]");
        assert_eq!(of.text("the Bearer of abc"), "the Bearer of abc");
    }
}
