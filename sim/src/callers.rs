//! Callers that keep asking until they are answered, over restarts, with a key each.

use serde_json::Value;

/// What somebody asks for, and what was answered.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) operation: &'static str,
    /// With the key.
    pub(crate) params: Value,
    pub(crate) answer: Option<Value>,
    /// Whether it was refused: nothing came of it.
    pub(crate) refused: bool,
}

/// Everybody who asked with a key, over all processes.
#[derive(Debug, Default)]
pub(crate) struct Callers(pub(crate) Vec<Asked>);

impl Callers {
    /// Notes a request, and returns its number.
    pub(crate) fn asks(&mut self, operation: &'static str, mut params: Value) -> usize {
        let number = self.0.len();
        params["key"] = format!("key {number}").into();
        self.0.push(Asked {
            operation,
            params,
            answer: None,
            refused: false,
        });
        number
    }

    /// The requests that nobody has answered.
    pub(crate) fn open(&self) -> Vec<usize> {
        let all = self.0.iter().enumerate();
        all.filter(|(_, asked)| asked.answer.is_none() && !asked.refused)
            .map(|(number, _)| number)
            .collect()
    }
}
