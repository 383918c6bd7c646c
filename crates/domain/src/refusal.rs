//! The one shape in which mobkit says no.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What sort of no it is; every surface maps kinds to its own codes in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The request is malformed or breaks a rule.
    Invalid,
    /// Nobody is signed in.
    Unauthenticated,
    /// The principal may not do this.
    Denied,
    /// The named object does not exist.
    Missing,
    /// The world is not in the state that the request assumes.
    Conflict,
    /// The thing existed and is no longer kept.
    Gone,
    /// Try again later.
    Busy,
    /// A part that is needed does not answer.
    Unavailable,
    /// A defect or a broken disk; nothing the caller can mend.
    Internal,
}

/// A refused request: nothing was changed and nothing was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What sort of no it is.
    pub kind: RefusalKind,
    /// Stable code, `noun.reason`, e.g. `member.not_found`; explained by `mobkit explain`.
    pub code: String,
    /// One line for a person: what and why.
    pub message: String,
    /// The next step, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// After how many milliseconds a retry makes sense, for `busy` and `unavailable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Facts for a program, e.g. `oldest` and `latest` of an expired cursor.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub data: serde_json::Value,
}

impl Refusal {
    /// A refusal of `kind` with its stable `code` and a one-line `message`.
    pub fn new(kind: RefusalKind, code: &str, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.to_owned(),
            message: message.into(),
            hint: None,
            retry_after_ms: None,
            data: serde_json::Value::Null,
        }
    }

    /// Adds the next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds when to try again.
    #[must_use]
    pub fn retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }

    /// Adds facts for a program.
    #[must_use]
    pub fn data(mut self, data: serde_json::Value) -> Self {
        self.data = data;
        self
    }
}
