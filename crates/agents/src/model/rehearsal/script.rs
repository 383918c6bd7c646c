//! A script: rules, of which the first that matches decides.

use super::parse;
use super::template::{Template, Templates};
use super::view::View;
use regex::Regex;
use serde_json::Value;
use std::fmt;

/// What is wrong with a script: everything that was found, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.problems))]
pub struct ScriptError {
    /// The problems; never empty. Per rule the first one.
    pub problems: Vec<ScriptProblem>,
}

/// One thing that is wrong with a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptProblem {
    /// The number of the rule, from 1; absent where the file as a whole is wrong.
    pub rule: Option<usize>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for ScriptProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule {
            Some(rule) => write!(f, "rule {rule}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

fn lines(problems: &[ScriptProblem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// A parsed script; every expression and template in it is known to be well-formed.
#[derive(Debug)]
pub struct Script {
    pub(super) templates: Templates,
    pub(super) rules: Vec<Rule>,
}

impl Script {
    /// Parses the text of a script file. Fails with all that is wrong in it: TOML, unknown keys,
    /// bad regular expressions and templates, unknown kinds of failures, rules that do nothing.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        parse::script(text)
    }

    /// The script without rules, whose model repeats what it is told.
    pub fn empty() -> Self {
        Self {
            templates: Templates::new(),
            rules: Vec::new(),
        }
    }

    /// The first rule whose conditions all hold.
    pub(super) fn find(&self, view: &View<'_>) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.when.holds(view))
    }
}

/// One `[[rules]]`.
#[derive(Debug)]
pub(super) struct Rule {
    /// Its place in the file, from 1.
    pub number: usize,
    pub when: When,
    pub delay_ms: u64,
    pub fail: Option<Fail>,
    /// Absent where nothing is said beside the calls.
    pub say: Option<Template>,
    pub calls: Vec<Call>,
}

/// Conditions; those that are absent hold always.
#[derive(Debug, Default)]
pub(super) struct When {
    pub profile: Option<String>,
    pub member: Option<String>,
    pub from: Option<String>,
    pub step: Option<u32>,
    pub tool: Option<String>,
    pub text: Option<Regex>,
    pub result: Option<Regex>,
}

impl When {
    fn holds(&self, view: &View<'_>) -> bool {
        let request = view.request;
        let is =
            |wanted: &Option<String>, given: &str| wanted.as_deref().is_none_or(|w| w == given);
        let tool = self
            .tool
            .as_deref()
            .is_none_or(|tool| view.tool == Some(tool));
        let result = |regex: &Regex| view.result.is_some_and(|result| regex.is_match(result));
        is(&self.profile, request.profile.as_str())
            && is(&self.member, request.member.as_str())
            && is(&self.from, &request.from)
            && self.step.is_none_or(|step| step == request.step)
            && tool
            && self
                .text
                .as_ref()
                .is_none_or(|regex| regex.is_match(view.message))
            && self.result.as_ref().is_none_or(result)
    }
}

/// A tool call to make.
#[derive(Debug)]
pub(super) struct Call {
    pub tool: String,
    pub args: Args,
}

/// Arguments: JSON in which every text is a template.
#[derive(Debug)]
pub(super) enum Args {
    /// A number, a truth value.
    Plain(Value),
    Text(Template),
    List(Vec<Args>),
    Table(Vec<(String, Args)>),
}

/// How a call fails, and how often.
#[derive(Debug)]
pub(super) struct Fail {
    pub kind: FailKind,
    /// How many attempts fail; absent: all of them.
    pub times: Option<u32>,
    pub retry_after_ms: Option<u64>,
}

impl Fail {
    pub(super) fn strikes(&self, attempt: u32) -> bool {
        self.times.is_none_or(|times| attempt <= times)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailKind {
    Unauthorized,
    RateLimited,
    Server,
    Timeout,
    Cut,
    Garbage,
}

impl FailKind {
    /// The kinds by the names that they have in a script.
    pub(super) const NAMES: [(&'static str, Self); 6] = [
        ("401", Self::Unauthorized),
        ("429", Self::RateLimited),
        ("500", Self::Server),
        ("timeout", Self::Timeout),
        ("cut", Self::Cut),
        ("garbage", Self::Garbage),
    ];
}
