//! What went wrong, and with which exit code the program says so.

use serde_json::{Map, Value, json};
use std::fmt;
use std::time::Duration;

/// Why the program ends; the number is part of the contract with scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// The operation failed.
    Failed,
    /// The command line or the request makes no sense.
    Usage,
    /// The mob file is invalid.
    Config,
    /// The named object does not exist.
    Missing,
    /// Not signed in, or not permitted.
    Denied,
    /// The world is not in the state that the request assumes.
    Conflict,
    /// Timed out; the work goes on.
    TimedOut,
    /// The work waits for a person.
    Waiting,
    /// No server answers.
    Unreachable,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The exit code of the process.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Config => 3,
            Self::Missing => 4,
            Self::Denied => 5,
            Self::Conflict => 6,
            Self::TimedOut => 7,
            Self::Waiting => 8,
            Self::Unreachable => 9,
            Self::Interrupted => 130,
        }
    }

    /// The word for programs: the kind of refusal where a server has one for it.
    fn kind(self) -> &'static str {
        match self {
            Self::Done | Self::Failed => "failed",
            Self::Usage | Self::Config => "invalid",
            Self::Missing => "missing",
            Self::Denied => "denied",
            Self::Conflict => "conflict",
            Self::TimedOut => "timed_out",
            Self::Waiting => "waiting",
            Self::Unreachable => "unavailable",
            Self::Interrupted => "interrupted",
        }
    }

    /// The next step where nobody knows a better one.
    fn hint(self) -> &'static str {
        match self {
            Self::Done | Self::Failed => "see `mobkit logs` for what happened",
            Self::Usage => "`mobkit help COMMAND` says what a command takes",
            Self::Config => "mend the file and run `mobkit check`",
            Self::Missing => "list what there is with `mobkit ps`",
            Self::Denied => "pass the operator token with --token or MOBKIT_TOKEN",
            Self::Conflict => "look at the present state with `mobkit status`, then decide again",
            Self::TimedOut => "the work goes on; follow it with `mobkit logs -f`",
            Self::Waiting => "see `mobkit logs` for what it waits for",
            Self::Unreachable => {
                "start the server with `mobkit up`, or name another one with --url or MOBKIT_URL"
            }
            Self::Interrupted => "what was accepted goes on; see `mobkit logs`",
        }
    }
}

/// A failed command: one line, a stable code, and the next step.
#[derive(Debug)]
pub(crate) struct Failure(Box<Parts>);

#[derive(Debug)]
struct Parts {
    exit: Exit,
    code: String,
    message: String,
    hint: Option<String>,
    passing: bool,
    retry_after: Option<Duration>,
    silent: bool,
    at: Option<Value>,
    facts: Map<String, Value>,
    result: Map<String, Value>,
    findings: Vec<String>,
}

impl Failure {
    /// A failure with a stable `code` (`noun.reason`) and one line for a person.
    pub fn new(exit: Exit, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            exit,
            code: code.into(),
            message: message.into(),
            hint: None,
            passing: false,
            retry_after: None,
            silent: false,
            at: None,
            facts: Map::new(),
            result: Map::new(),
            findings: Vec::new(),
        }))
    }

    /// The reader of stdout has gone; there is nobody left to tell.
    pub fn output_closed() -> Self {
        Self::new(Exit::Failed, "output.closed", "nobody reads the output").silently()
    }

    /// The exit code says enough.
    pub fn silently(mut self) -> Self {
        self.0.silent = true;
        self
    }

    /// Names the next step.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Says where in a file the cause is.
    pub fn at(mut self, at: Value) -> Self {
        self.0.at = Some(at);
        self
    }

    /// Says in which file the cause is.
    pub fn in_file(mut self, file: &str) -> Self {
        self.0.message = format!("{file}: {}", self.0.message);
        self.at(json!({"file": file}))
    }

    /// Adds a fact about the failure for programs, inside `error`.
    pub fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.facts.insert(name.to_owned(), value.into());
        self
    }

    /// Adds what is known of the result in spite of the failure, beside `error`.
    pub fn beside(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.result.insert(name.to_owned(), value.into());
        self
    }

    /// Adds whole lines that a person reads before the failure itself.
    pub fn finding(mut self, text: impl Into<String>) -> Self {
        self.0.findings.push(text.into());
        self
    }

    /// Marks it as one that may pass by itself: trying again makes sense.
    pub fn passing(mut self, retry_after: Option<Duration>) -> Self {
        self.0.passing = true;
        self.0.retry_after = retry_after;
        self
    }

    /// Whether trying again makes sense.
    pub fn is_passing(&self) -> bool {
        self.0.passing
    }

    /// Whether nothing should be said about it.
    pub fn is_silent(&self) -> bool {
        self.0.silent
    }

    /// When the server wants the next try.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    pub fn exit(&self) -> Exit {
        self.0.exit
    }

    pub fn code(&self) -> &str {
        &self.0.code
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The next step; there always is one.
    pub fn next_step(&self) -> &str {
        self.0.hint.as_deref().unwrap_or(self.0.exit.hint())
    }

    /// What a person reads first.
    pub fn findings(&self) -> &[String] {
        &self.0.findings
    }

    /// A fact that was added.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.facts.get(name)
    }

    /// The document that `--json` prints.
    pub fn to_json(&self) -> Value {
        let mut error = self.0.facts.clone();
        error
            .entry("kind")
            .or_insert_with(|| self.exit().kind().into());
        for (name, text) in [
            ("code", self.code()),
            ("message", self.message()),
            ("hint", self.next_step()),
        ] {
            error.insert(name.to_owned(), text.into());
        }
        if let Some(at) = &self.0.at {
            error.insert("at".to_owned(), at.clone());
        }
        let mut document = self.0.result.clone();
        document.insert("error".to_owned(), Value::Object(error));
        Value::Object(document)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_everything_about_the_failure_inside_error() {
        let failure = Failure::new(Exit::Missing, "member.not_found", "no member \"x\"")
            .fact("member", "x")
            .beside("line", 3);
        assert_eq!(
            failure.to_json(),
            json!({
                "error": {
                    "code": "member.not_found",
                    "message": "no member \"x\"",
                    "hint": "list what there is with `mobkit ps`",
                    "kind": "missing",
                    "member": "x",
                },
                "line": 3,
            })
        );
    }

    #[test]
    fn the_kind_of_a_server_wins() {
        let failure = Failure::new(Exit::Failed, "member.busy", "wait").fact("kind", "busy");
        assert_eq!(failure.to_json()["error"]["kind"], "busy");
    }
}
